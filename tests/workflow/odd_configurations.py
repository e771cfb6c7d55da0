"""Small studies with odd settings, each of which must run to the end, and the overlays they are made by."""

TINY = {
    "dataset": {"scene_size": 232, "test_scenes": 1, "synthetic": {"scenes": 2}},
    "presets": ["repl"],
    "seeds": [0],
    "model": {"hidden_channels": 2},
    "training": {
        "steps": 3, "batch_size": 1, "warmup_steps": 1, "decay_start": 2,
        "test_every": 2, "checkpoint_every": 2,
    },
    "evaluation": {"batch_size": 4, "nmse_presets": [], "nmse_paddings": ["zero"]},
    "timing": {"presets": [], "largest_batch": 1, "repeats": 1},
    "figures": {"formats": ["png"], "sample_paddings": ["zero"], "sample_scenes": [0]},
}  # fmt: skip
