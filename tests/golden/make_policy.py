"""Writes the golden files of the policies (tests/data/golden/<op>): what torchvision's and timm's policies make of small, difficult images
with a chain that is not drawn. The files are committed: run it again only to add cases.

The policies are torchvision's own classes, told what to draw, and timm's own functions. With a magnitude, `[name, magnitude]` is a step.
"""

import importlib.util
import json
import os
import pathlib

# Without fused multiplications, as torch computes on processors that have none: the same bytes everywhere.
os.environ["ATEN_CPU_CAPABILITY"] = "default"

import common
import numpy as np
import torch
from common import producer, save
from PIL import Image
from torchvision.transforms import v2

common.require("torch", "torchvision", "timm", "pillow", "numpy", "scikit-image")
TORCHVISION = producer("torchvision")
TIMM = f"{producer('timm')}, {producer('pillow')}"

# timm itself wants more packages than this file of it.
FOLDER = pathlib.Path(importlib.util.find_spec("timm").submodule_search_locations[0])
SPEC = importlib.util.spec_from_file_location("auto_augment", FOLDER / "data" / "auto_augment.py")
timm = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(timm)

NOISE, PHOTO, RAMP, PRIMARIES = common.noise(), common.photo(24, 31), common.ramp(), common.primaries()
GRAY, PIXEL, CHECKER = common.noise(9, 14, 1), common.pixel(), common.checker()
UNIT = (PHOTO[:12, :16].astype(np.float32) / np.float32(255.5)).clip(0, 1)


def camel(name):
    return "".join(word.capitalize() for word in name.split("_"))


def steps(chain):
    return [{"op": name, "magnitude": magnitude} for name, magnitude in chain]


def told(policy, chain):
    """The policy, told which ops to draw, one after the other, each with its magnitude."""
    items = iter(chain)

    def item(_):
        name, magnitude = next(items)
        return camel(name), (lambda bins, height, width: torch.full((bins,), magnitude, dtype=torch.float64), False)

    policy._get_random_item = item
    return policy


def on_tensor(policy, image):
    tensor = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    return policy(tensor).numpy().transpose(1, 2, 0)


def torchvision_chain(case, chain, image, options=None, arguments=None, **exactness):
    """One case of RandAugment. options: of the contract; arguments: the same for torchvision."""
    policy = told(v2.RandAugment(num_ops=len(chain), magnitude=0, num_magnitude_bins=2, **(arguments or {})), chain)
    full = None if image.dtype == np.uint8 else 1.0
    params = [(0, "rand_augment", steps(chain))]
    message = {"rand_augment": {"num_ops": len(chain)} | (options or {})}
    save(f"rand_augment/{case}", TORCHVISION, [message], image, on_tensor(policy, image), full=full, params=params, **exactness)


SPATIAL = [("shear_x", 0.3), ("shear_x", -0.13), ("shear_y", 0.27), ("shear_y", -0.3), ("translate_x", 7.9), ("translate_x", -3.2)]
SPATIAL += [("translate_y", 5.0), ("translate_y", -200.0), ("rotate", 30.0), ("rotate", -11.0), ("rotate", 90.0)]
PLAIN = [("identity", 0.0), ("brightness", 0.9), ("brightness", -0.27), ("color", 0.87), ("color", -0.9), ("contrast", 0.9), ("contrast", -0.6)]
PLAIN += [("sharpness", 0.9), ("sharpness", -0.9), ("posterize", 7.0), ("posterize", 4.0), ("solarize", 0.2), ("solarize", 0.7), ("solarize", 0.0)]
PLAIN += [("auto_contrast", 0.0), ("equalize", 0.0)]


def torchvision():
    common.clear("rand_augment")
    for name, magnitude in SPATIAL:
        torchvision_chain(f"{name}_{magnitude}_noise", [(name, magnitude)], NOISE, share=1e-3)
    for name, magnitude in PLAIN:
        torchvision_chain(f"{name}_{magnitude}_photo", [(name, magnitude)], PHOTO[:16, :24])
    for label, image in {"gray": GRAY, "pixel": PIXEL, "checker": CHECKER, "f32": UNIT}.items():
        tiny = {} if label != "f32" else {"tolerance": 2e-6}
        for name in ["shear_x", "rotate", "sharpness", "contrast", "posterize", "equalize"]:
            magnitude = {"posterize": 5.0, "rotate": 21.0}.get(name, 0.21)
            torchvision_chain(f"{name}_{label}", [(name, magnitude)], image, share=1e-3, **tiny)
    # Mixed in twice with a fill, once without one.
    bilinear = {"filter": "bilinear"}
    for label, options, fill in [("bilinear", bilinear, None), ("bilinear_fill", bilinear | {"fill": [128, 9, 250]}, [128, 9, 250])]:
        arguments = {"interpolation": v2.InterpolationMode.BILINEAR, "fill": fill}
        for name, magnitude in [("shear_y", 0.3), ("rotate", -24.0), ("translate_x", 4.0)]:
            torchvision_chain(f"{name}_{label}", [(name, magnitude)], NOISE, options, arguments, tolerance=1)
    arguments = {"interpolation": v2.InterpolationMode.BILINEAR}
    torchvision_chain("rotate_bilinear_f32", [("rotate", 13.0)], UNIT, bilinear, arguments, tolerance=1e-4)
    torchvision_chain("shear_x_fill", [("shear_x", 0.3)], NOISE, {"fill": [1, 2, 3]}, {"fill": [1, 2, 3]}, share=1e-3)
    for label, chain in {
        "three": [("shear_x", -0.2), ("equalize", 0.0), ("translate_y", 3.0)],
        "colours": [("contrast", -0.45), ("color", 0.63), ("brightness", 0.18), ("sharpness", 0.36)],
        "turns": [("rotate", 20.0), ("solarize", 0.6), ("rotate", -20.0), ("auto_contrast", 0.0)],
        "nothing": [],
    }.items():
        torchvision_chain(f"chain_{label}", chain, PHOTO, share=2e-3)

    common.clear("trivial_augment_wide")
    for name, magnitude in [("shear_x", 0.99), ("rotate", -135.0), ("posterize", 2.0), ("brightness", -0.99), ("sharpness", 0.99)]:
        for label, image in {"photo": PHOTO, "gray": GRAY}.items():
            expected = on_tensor(told(v2.TrivialAugmentWide(num_magnitude_bins=2), [(name, magnitude)]), image)
            params = [(0, "trivial_augment_wide", steps([(name, magnitude)]))]
            case = f"trivial_augment_wide/{name}_{label}"
            save(case, TORCHVISION, [{"trivial_augment_wide": {}}], image, expected, params=params, share=1e-3)
    for label, image in {"primaries": PRIMARIES, "pixel": PIXEL, "f32": UNIT}.items():
        expected = on_tensor(told(v2.TrivialAugmentWide(num_magnitude_bins=2), [("shear_y", -0.4)]), image)
        params = [(0, "trivial_augment_wide", steps([("shear_y", -0.4)]))]
        full = None if image.dtype == np.uint8 else 1.0
        save(f"trivial_augment_wide/shear_y_{label}", TORCHVISION, [{"trivial_augment_wide": {}}], image, expected, full=full, params=params)

    common.clear("auto_augment")
    for label, chain in {
        "imagenet_0": [("posterize", 5.0), ("rotate", 30.0)],
        "imagenet_17": [("sharpness", -0.7), ("invert", 0.0)],
        "cifar10_3": [("shear_y", 0.27), ("translate_y", 8.0)],
        "svhn_22": [("shear_x", -0.3), ("translate_y", -4.0)],
    }.items():
        policy = v2.AutoAugment()
        # Each op is in every policy's reach: a pair that is not drawn, whose magnitudes are those of the chain.
        policy._policies = [tuple((camel(name), 1.0, 0) for name, _ in chain)]
        space = {camel(name): (lambda bins, height, width, m=m: torch.full((bins,), m, dtype=torch.float64), False) for name, m in chain}
        policy._AUGMENTATION_SPACE = space
        params = [(0, "auto_augment", {"pair": 0, "chain": steps(chain)})]
        message = {"auto_augment": {"policy": label.split("_")[0]}}
        images = {"gray": GRAY, "pixel": PIXEL, "primaries": PRIMARIES, "photo": PHOTO, "f32": UNIT} if label == "imagenet_17" else {}
        for name, image in {"noise": NOISE, **images}.items():
            full = None if image.dtype == np.uint8 else 1.0
            exactness = {"share": 2e-3} if full is None else {"tolerance": 2e-6}
            save(f"auto_augment/{label}_{name}", TORCHVISION, [message], image, on_tensor(policy, image), full=full, params=params, **exactness)

    common.clear("aug_mix")
    chains = [[("shear_x", 0.1), ("equalize", 0.0)], [("rotate", -6.0), ("color", 0.3)], [("solarize", 0.8), ("posterize", 3.0)]]
    plain = [[("contrast", 0.2)], [("auto_contrast", 0.0)]]
    for label, image, chains, weights, original, options, exactness in [
        ("photo", PHOTO, chains, [0.25, 0.5, 0.25], 0.375, {}, {"tolerance": 1}),
        ("noise", NOISE, chains, [0.7, 0.1, 0.2], 0.1, {}, {"tolerance": 1}),
        ("pixels", PHOTO, plain, [0.9, 0.1], 0.3, {"pixels_only": True}, {}),
        ("gray", GRAY, plain, [0.3, 0.7], 0.0, {}, {}),
        ("pixel", PIXEL, plain, [0.5, 0.5], 1.0, {}, {}),
        ("primaries", PRIMARIES, chains, [0.2, 0.3, 0.5], 0.25, {}, {"tolerance": 1}),
        ("f32", UNIT, plain, [0.4, 0.6], 0.21, {}, {"tolerance": 4e-6}),
    ]:
        policy = told(v2.AugMix(mixture_width=len(chains), chain_depth=len(chains[0]), severity=1), [step for chain in chains for step in chain])
        drawn = iter([[original, 1 - original], weights])
        policy._sample_dirichlet = lambda like: torch.tensor([next(drawn)], dtype=torch.float32)
        rest = np.float32(1 - original)
        mixed = {"original": original, "weights": [float(np.float32(weight) * rest) for weight in weights]}
        params = [(0, "aug_mix", mixed | {"chains": [steps(chain) for chain in chains]})]
        full = None if image.dtype == np.uint8 else 1.0
        save(f"aug_mix/{label}", TORCHVISION, [{"aug_mix": options}], image, on_tensor(policy, image), full=full, params=params, **exactness)


FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
FUNCTIONS = {"translate_x": timm.translate_x_abs, "translate_y": timm.translate_y_abs}


def on_pillow(f, image):
    found = np.asarray(f(Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)))
    return found[:, :, None] if found.ndim == 2 else found


def function(name, argument, filter, fill):
    """An op of timm's with what it takes, on an image of Pillow."""
    f = FUNCTIONS.get(name) or getattr(timm, name)
    moves = name in ["shear_x", "shear_y", "translate_x", "translate_y", "rotate"]
    options = {"fillcolor": fill, "resample": FILTERS[filter]} if moves else {}
    if name in ["posterize", "solarize", "solarize_add"]:
        argument = int(argument)
    arguments = [] if name in ["auto_contrast", "invert", "equalize"] else [argument]
    return lambda image: f(image, *arguments, **options)


def timm_steps(chain):
    return [{"op": name, "magnitude": argument} | ({"filter": filter} if filter else {}) for name, argument, filter in chain]


def timm_chain(case, chain, image, fill=(128, 128, 128), policy="rand-m9"):
    expected = image
    colour = fill if image.shape[2] == 3 else fill[0]
    for name, argument, filter in chain:
        expected = on_pillow(function(name, argument, filter, colour), expected)
    message = {"timm_augment": {"policy": policy, "fill": list(fill)}}
    save(f"timm_augment/{case}", TIMM, [message], image, expected, params=[(0, "timm_augment", {"chain": timm_steps(chain)})])


def timms():
    common.clear("timm_augment")
    for filter in FILTERS:
        for name, argument in [("shear_x", 0.27), ("shear_y", -0.3), ("translate_x", 7.25), ("translate_y", -3.6), ("rotate", 27.0), ("rotate", -30.0)]:
            timm_chain(f"{name}_{argument}_{filter}", [(name, argument, filter)], NOISE)
        for label, image in {"gray": GRAY, "pixel": PIXEL, "checker": CHECKER}.items():
            timm_chain(f"rotate_{label}_{filter}", [("rotate", 13.5, filter)], image)
    timm_chain("rotate_180", [("rotate", 180.0, "bicubic")], PRIMARIES)
    timm_chain("rotate_0", [("rotate", 0.0, "bilinear")], PRIMARIES)
    timm_chain("shear_x_fill", [("shear_x", -0.3, "bicubic")], NOISE, (124, 116, 104))
    plain = [("auto_contrast", 0.0), ("equalize", 0.0), ("invert", 0.0), ("posterize", 1.0), ("posterize", 3.0), ("posterize", 8.0), ("solarize", 26.0)]
    plain += [("solarize", 256.0), ("solarize_add", 99.0), ("color", 0.1), ("color", 1.81), ("color", 0.0), ("contrast", 0.19), ("contrast", 1.9)]
    plain += [("brightness", 0.19), ("brightness", 1.9), ("sharpness", 0.1), ("sharpness", 1.9)]
    for name, argument in plain:
        timm_chain(f"{name}_{argument}", [(name, argument, None)], PHOTO[:13, :24])
        timm_chain(f"{name}_{argument}_gray", [(name, argument, None)], GRAY)
    for radius in [0.1, 0.5, 1.0, 1.37, 2.0, 5.3]:
        timm_chain(f"gaussian_blur_{radius}", [("gaussian_blur", radius, None)], NOISE)
    for label, image in {"gray": GRAY, "pixel": PIXEL, "checker": CHECKER, "ramp": RAMP}.items():
        timm_chain(f"gaussian_blur_{label}", [("gaussian_blur", 1.9, None)], image)
    chain = [("rotate", -12.0, "bicubic"), ("sharpness", 1.4, None), ("translate_x", 3.3, "bilinear"), ("equalize", 0.0, None)]
    timm_chain("chain", chain, PHOTO, policy="v0")

    chains = [[("shear_x", 0.1, "bicubic"), ("equalize", 0.0, None)], [("rotate", -6.0, "bilinear"), ("color", 1.3, None)], [("solarize", 99.0, None), ("posterize", 3.0, None)]]
    for label, image, blended in [("photo", PHOTO, False), ("blended", PHOTO, True), ("noise", NOISE, False), ("gray", GRAY, True)]:
        colour = (128, 128, 128) if image.shape[2] == 3 else 128
        weights, blend = np.float32([0.25, 0.43, 0.32]), np.float32(0.61)
        mix = timm.AugMixAugment([], width=3, depth=2, blended=blended)
        order = iter(chains)
        # What it draws from is not looked at.
        choice, np.random.choice = np.random.choice, lambda *_, **__: [function(*step, colour) for step in next(order)]
        run = mix._apply_blended if blended else mix._apply_basic
        expected = on_pillow(lambda image: run(image, weights, blend), image)
        np.random.choice = choice
        mixed = {"blend": float(blend), "weights": [float(weight) for weight in weights], "chains": [timm_steps(chain) for chain in chains]}
        message = {"timm_augment": {"policy": "augmix-b1" if blended else "augmix-m3-w3-d2"}}
        save(f"timm_augment/augmix_{label}", TIMM, [message], image, expected, params=[(0, "timm_augment", {"mix": mixed})])


# Without noise of the magnitude, so that an op has few arguments.
POLICIES = ["augmix-mstd0", "augmix-m7-w2-d2-a0.5-b1-mstd0", "augmix-m20-w1-mstd0", "rand", "rand-m9", "rand-m9-n3-inc1", "rand-m15-mmax20"]
POLICIES += ["rand-m5-tweights", "rand-m8-t3a", "rand-m7-n1-t3aw", "original", "originalr", "v0", "v0r"]
WIDTH, HEIGHT = 40, 30


def transform(policy):
    """timm's transform as its `create_transform` makes it, which gives AugMix another translation than AugMix has by itself."""
    factory = (FOLDER / "data" / "transforms_factory.py").read_text()
    assert factory.count("translate_pct") == factory.count("aa_params['translate_pct'] = 0.3") == 1, "create_transform has changed"
    hparams = {"translate_const": int(HEIGHT * 0.45), "img_mean": (124, 116, 104)}
    kind = policy.split("-")[0]
    if kind == "augmix":
        return timm.augment_and_mix_transform(policy, hparams | {"translate_pct": 0.3})
    return (timm.rand_augment_transform if kind == "rand" else timm.auto_augment_transform)(policy, hparams)


def arguments(op):
    """What an op of timm's calls Pillow's function with, as feedline records it: name and number of each."""
    found = set()

    def record(_, *given, name=op.aug_fn.__name__, **__):
        argument = float(given[0]) if given else 0.0
        if name == "desaturate":
            name, argument = "color", min(1.0, max(0.0, 1.0 - argument))
        if name.endswith("_rel"):
            name, argument = name.removesuffix("_rel"), argument * (WIDTH if "_x" in name else HEIGHT)
        # Zero has no sign.
        found.add((name, argument + 0.0))

    op.aug_fn = record
    # More than enough for both signs.
    for _ in range(400):
        op(None)
    return found


def policies():
    """What the ops of whole policies are called with, in tests/data/golden/timm_policies.json: tests/distributions/timm.rs draws the same."""
    made = {}
    for policy in POLICIES:
        built = transform(policy)
        if policy.startswith("augmix"):
            ops, chains, depths = built.ops, built.width, list(range(1, 4)) if built.depth < 1 else [built.depth]
        elif policy.startswith("rand"):
            ops, chains, depths = built.ops, 1, list(range(built.num_layers + 1))
        else:
            ops, chains, depths = [op for pair in built.policy for op in pair], 1, [0, 1, 2]
        called = {}
        for name, argument in sorted(set().union(*map(arguments, ops))):
            called.setdefault(name, []).append(argument)
        made[policy] = {"chains": chains, "depths": depths, "arguments": called}
    lines = [f"{json.dumps(policy)}: {json.dumps(made[policy])}" for policy in POLICIES]
    text = f'{{"producer": "{TIMM}", "width": {WIDTH}, "height": {HEIGHT}, "policies": {{\n'
    (common.ROOT / "timm_policies.json").write_text(text + ",\n".join(lines) + "\n}}\n")


torchvision()
timms()
policies()
