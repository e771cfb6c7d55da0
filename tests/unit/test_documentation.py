"""Tables in docs/ that repeat what the code says, compared with it."""

import dataclasses
import json
import re

import pytest
import yaml
from tests.helpers import REPOSITORY

from spatial_prediction.names import CONVOLUTION_NAMES, PADDING_NAMES, TRAINED_NAMES
from spatial_prediction.studies.compression import validation as compression
from spatial_prediction.studies.interpolation import validation as interpolation
from spatial_prediction.studies.super_resolution.presets import PRESETS, PUBLISHED_PRESETS, presets_from_names
from spatial_prediction.studies.super_resolution.validation import validated
from spatial_prediction.training_settings import TrainingSettings

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
DEFAULTS = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
METHODS = REPOSITORY / "docs/methods"
METHOD_PAGES = sorted(path for path in METHODS.glob("*.md") if path.name != "README.md")
PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "config/*.md", "results/*.md")
    for path in REPOSITORY.glob(pattern)
)
BLOCK = re.compile(r" *([-*+] |\d+[.)] |#{1,6} |[|>]|!\[|<|```|---+$|\[[^\]]+\]: )|    ")
"""The beginning of a line of Markdown that does not go on with the paragraph before."""
OVERLAYS = sorted(path.name for path in (REPOSITORY / "config").glob("*.yaml"))


def keys(config, schema, prefix=""):
    """(dotted key, value) of everything that the schema does not open up further."""
    for name, value in config.items():
        described = schema["properties"][name]
        if "properties" in described:
            yield from keys(value, described, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def merged(base, overlay):
    both = {
        key: merged(base[key], overlay[key]) for key in base.keys() & overlay.keys() if mapping(base[key])
    }
    return base | overlay | both


def mapping(value):
    return isinstance(value, dict)


def rows(document):
    """Cells of the lines of a Markdown table whose first cell is code."""
    lines = (REPOSITORY / "docs" / document).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]


def test_every_key_of_the_configuration_is_documented_with_its_default():
    documented = {key.strip("`"): default.strip("`") for key, default, _ in rows("configuration.md")}
    assert documented == {key: json.dumps(value) for key, value in keys(DEFAULTS, SCHEMA)}


def test_every_preset_is_documented_with_its_paddings():
    documented = [[cell.strip("`") for cell in row[:4]] for row in rows("presets.md")]
    assert documented == [
        [name, preset.padding, preset.upscale_padding, str(preset.output_crop)]
        for name, preset in PRESETS.items()
    ]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_overlay_is_documented_valid_and_keeps_to_its_own_folders(overlay):
    read = yaml.safe_load((REPOSITORY / "config" / overlay).read_text(encoding="utf-8"))
    validated(merged(DEFAULTS, read), SCHEMA)
    interpolation.validated(merged(DEFAULTS, read), SCHEMA)
    compression.validated(merged(DEFAULTS, read), SCHEMA)
    for folder in ("results", "resources"):
        assert read[folder] == f"{folder}/{overlay.removesuffix('.yaml')}"
    assert f"`{overlay}`" in (REPOSITORY / "config/README.md").read_text(encoding="utf-8")


def test_the_paper_overlay_is_the_published_study():
    paper = yaml.safe_load((REPOSITORY / "config/paper.yaml").read_text(encoding="utf-8"))
    assert sorted(paper["presets"]) == sorted(PUBLISHED_PRESETS)
    assert paper["timing"]["presets"] == paper["presets"]
    assert presets_from_names(paper["presets"], {})
    assert paper["seeds"] == list(range(12))
    training = merged(DEFAULTS, paper)["training"]
    assert training.pop("seeds_per_job") == 1
    assert training == dataclasses.asdict(TrainingSettings())


def test_every_figure_and_table_of_the_report_has_a_caption_and_no_caption_is_left_over():
    folder = REPOSITORY / "workflow/rules"
    rules = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.smk"))
    wanted = {f"{name}.rst" for name in re.findall(r"figure\(\s*\"(\w+)\"", rules)}
    wanted |= {f"{name}_table.rst" for name in re.findall(r"table\(\s*\"(\w+)\"", rules)}
    wanted.add("animation.rst")
    captions = list((REPOSITORY / "workflow/report").glob("*.rst"))
    assert {path.name for path in captions} == wanted | {"workflow.rst"}
    for path in captions:
        roles = re.findall(r":(\w+):`", path.read_text(encoding="utf-8"))
        assert set(roles) <= {"sup", "math"}, f"{path.name}: a role of Sphinx prints an error into the report"


def test_links_between_documents_lead_somewhere():
    documents = [
        *REPOSITORY.glob("*.md"),
        *(REPOSITORY / "docs").rglob("*.md"),
        REPOSITORY / "config/README.md",
    ]
    for document in documents:
        for link in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
            if not link.startswith(("http:", "https:", "mailto:")):
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_every_method_stands_on_a_page():
    text = "".join(page.read_text(encoding="utf-8") for page in METHOD_PAGES)
    names = [*PADDING_NAMES, *TRAINED_NAMES, *CONVOLUTION_NAMES]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_overview_of_methods_links_every_page():
    linked = re.findall(r"\]\((\w+\.md)\)", (METHODS / "README.md").read_text(encoding="utf-8"))
    assert set(linked) == {page.name for page in METHOD_PAGES}


@pytest.mark.parametrize("page", METHOD_PAGES, ids=lambda page: page.stem)
def test_page_of_a_method_has_its_sections_and_a_picture(page):
    text = page.read_text(encoding="utf-8")
    sections = re.findall(r"^\*\*(.+?)\.?\*\*", text, flags=re.MULTILINE)
    for section in ("What it does", "Source", "Example", "Choices", "Cost", "When to use it"):
        assert section in sections
    assert f"](figures/{page.stem}.png)" in text
    assert "Contains modified Copernicus Sentinel data." in " ".join(text.split())


def test_every_picture_of_methods_is_shown():
    assert {path.stem for path in (METHODS / "figures").iterdir()} == {page.stem for page in METHOD_PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_paragraphs_of_pages_are_one_line_each(page):
    before, fenced = "", False
    for number, line in enumerate((REPOSITORY / page).read_text(encoding="utf-8").splitlines(), 1):
        goes_on = line.strip() and before.strip() and not BLOCK.match(line)
        if not fenced and goes_on:
            assert re.match(r" *(#|\||<|!\[)", before), f"{page}:{number} belongs to the line before"
        fenced ^= line.lstrip().startswith("```")
        before = "" if fenced or line.lstrip().startswith("```") else line
