# Cubes of spectrometers by every codec: how few bits, exactly restored, at what cost.

from spatial_prediction.studies.compression.validation import (
    SYNTHETIC,
    WITH_NETWORK,
    codecs_of,
    network_settings,
    networks_of,
    published_weights,
    raw_cubes,
    training_raw_cubes,
    trains_network,
    validated as valid_compression,
)

try:
    config["compression"] = COMPRESSION = valid_compression(config, SCHEMA)
    RAW_CUBES = raw_cubes(COMPRESSION)
    TRAINING_CUBES = training_raw_cubes(COMPRESSION)
    WEIGHTS_HERE = published_weights(COMPRESSION)
except SpatialPredictionError as error:
    raise WorkflowError(str(error))

COMPRESSED = f"{RESULTS}/compression"
CUBE_FILE = f"{RESOURCES}/compression/cubes/{{cube}}.safetensors"
LINERWKV_FILE = f"{COMPRESSED}/networks/{{network}}.safetensors"
# The published network: its file as fetched, or a copy that is here already, and its integers.
PUBLISHED_SIZE = COMPRESSION["network"]["published"]["size"]
FETCHED_WEIGHTS = f"{RESOURCES}/compression/published/linerwkv_{PUBLISHED_SIZE}.pth"
PUBLISHED_LINERWKV = f"{COMPRESSED}/networks/published_{PUBLISHED_SIZE}.safetensors"
CUBES = list(RAW_CUBES) or [SYNTHETIC]
PREDICTED = COMPRESSION["predictors"]
CODECS = codecs_of(COMPRESSION)
CUBE_FORMATS = {"formats": COMPRESSION["figures"]["formats"]}
# Raw files by the name of their cube; those of a folder to train on stand in a folder of their own.
TO_READ = RAW_CUBES | {f"training/{name}": raw for name, raw in TRAINING_CUBES.items()}
# For each cube the trained network that codes it, and for each network the cubes that it has seen.
NETWORK_OF = networks_of(COMPRESSION, CUBES)
SEEN_BY = {
    network: (
        [other for other in CUBES if other != cube]
        if COMPRESSION["training"]["data"] == "others"
        else [name for name in TO_READ if name not in RAW_CUBES]
    )
    for cube, network in NETWORK_OF.items()
}


wildcard_constraints:
    cube="|".join(map(re.escape, [*CUBES, *TO_READ])),
    network="|".join(map(re.escape, SEEN_BY)),
    codec="|".join(dict.fromkeys(codec for codec, _ in CODECS)),
    delta=r"\d+",


def compression_figure(name, title, *, of=""):
    """Output of a figure rule; the report shows the PNG. ``of`` is what names of several such figures end in."""
    paths = {format: f"{COMPRESSED}/figures/{name}{of}.{format}" for format in CUBE_FORMATS["formats"]}
    paths["png"] = shown_compression(paths["png"], name, title)
    return list(paths.values())


def shown_compression(path, name, title):
    """A path of a result that the report shows."""
    return report(path, caption=f"../../report/{name}.rst", category="Compression", labels={"result": title})


def compression_table(name, title):
    """Output of a table rule; the report shows the HTML."""
    paths = {format: f"{COMPRESSED}/tables/{name}.{format}" for format in ["csv", "html", "md", "tex"]}
    paths["html"] = shown_compression(paths["html"], f"{name}_table", f"{title} (table)")
    return list(paths.values())


include: "cubes.smk"
include: "codecs.smk"
include: "figures.smk"
