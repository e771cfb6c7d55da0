"""The table of presets keeps its published meaning."""

from spatial_prediction.studies.super_resolution.config import Preset
from spatial_prediction.studies.super_resolution.presets import (
    PRESETS,
    PUBLISHED_PRESETS,
    paddings_in_use,
    presets_from_names,
)
from spatial_prediction.studies.super_resolution.validation import check_border_name, check_padding_name


def test_a_preset_is_looked_up_among_ones_own_too():
    custom = {"mine": {"padding": "zero", "upscale_padding": "repl"}}
    assert presets_from_names(["mine", "refl"], custom) == {
        "mine": Preset("zero", "repl", 0),
        "refl": Preset("refl", "refl", 0),
    }


# As published: padding of the 3x3 convolutions, padding before the upscaling, output crop.
PUBLISHED = """
    zero-repl    zero     repl     0
    zero-zero    zero     zero     0
    repl         repl     repl     0
    extr1        extr1    extr1    0
    extr2        extr2    extr2    0
    extr3        extr3    extr3    0
    lp1x1cs      lp1x1cs  lp1x1cs  0
    lp2x1        lp2x1    lp2x1    0
    lp2x1cs      lp2x1cs  lp2x1cs  0
    lp2x3        lp2x3    lp2x3    0
    lp2x5        lp2x5    lp2x5    0
    lp3x3        lp3x3    lp3x3    0
    lp4x5        lp4x5    lp4x5    0
    lp6x7        lp6x7    lp6x7    0
    zero_oc1     zero     repl     1
    repl_oc1     repl     repl     1
    lp1x1cs_oc1  lp1x1cs  lp1x1cs  1
    lp2x1cs_oc1  lp2x1cs  lp2x1cs  1
    lp2x3_oc1    lp2x3    lp2x3    1
    zero_oc5     zero     repl     5
    repl_oc5     repl     repl     5
    lp2x3_oc5    lp2x3    lp2x3    5
"""


def test_the_published_presets_have_their_published_meaning():
    rows = [line.split() for line in PUBLISHED.split("\n") if line.strip()]
    assert len(PUBLISHED_PRESETS) == 22
    assert [
        [name, PRESETS[name].padding, PRESETS[name].upscale_padding, str(PRESETS[name].output_crop)]
        for name in PUBLISHED_PRESETS
    ] == rows


def test_the_others_can_be_made_into_networks():
    ours = {name: preset for name, preset in PRESETS.items() if name not in PUBLISHED_PRESETS}
    assert len(ours) > 10
    for name, preset in ours.items():
        check_border_name(preset.padding, name)
        check_padding_name(preset.upscale_padding, name)
        assert name.startswith(preset.padding)


def test_every_padding_of_presets_is_named_once_and_other_border_handling_not():
    names = ["zero-repl", "repl", "lp2x3_oc5", "part", "diff", "lp2x3_learned", "zero_oc5", "lp2x3"]
    presets = {name: PRESETS[name] for name in names}
    assert paddings_in_use(presets, ["lp6x7", "repl", "refl"]) == [
        "zero", "repl", "lp2x3", "extr3", "lp6x7", "refl",
    ]  # fmt: skip
