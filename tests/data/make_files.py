#!/usr/bin/env python3
"""Writes the image files of the tests, tests/data/good and tests/data/bad, with the pixels that Pillow makes of the good ones.

Requires pillow==13.0.0 (libjpeg-turbo 3.2.0, libwebp 1.6.0), numpy, scikit-image==0.26.0 and tifffile. The tests need only
the files: run this again only to add some, and commit what it writes.

    python tests/data/make_files.py

Beside each good file lies NAME.npy: its pixels as Pillow's convert("RGB") makes them, as stored. Where the file has an
orientation, NAME.upright.npy is what ImageOps.exif_transpose makes of it. What is expected of the bad files is in
bad/expected.json, which is written by hand.
"""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
import tifffile
from PIL import Image, ImageOps
from skimage import data

HERE = Path(__file__).parent
GOOD = HERE / "good"
BAD = HERE / "bad"

assert PIL.__version__ == "13.0.0", "the references are those of Pillow 13.0.0"


def picture(width, height):
    """The face of the cat (CC0), small."""
    face = Image.fromarray(data.chelsea()).crop((80, 20, 290, 210))
    return face.resize((width, height), Image.Resampling.LANCZOS)


W, H = 29, 21
RGB = picture(W, H)
ALPHA = Image.fromarray(np.tile(np.linspace(0, 255, W).astype(np.uint8), (H, 1)))
RGBA = RGB.copy()
RGBA.putalpha(ALPHA)
GRAY = RGB.convert("L")
PALETTE = RGB.quantize(32)
WORDS = (np.asarray(RGB).astype(np.uint16) << 8) | np.arange(W, dtype=np.uint16)[None, :, None]


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def good(name, content, pixels=None):
    """Writes a file and its pixels: Pillow's, unless given where Pillow differs on purpose."""
    (GOOD / name).write_bytes(content)
    if pixels is None:
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert pixels.dtype == np.uint8 and pixels.shape[2] == 3
    np.save(GOOD / f"{name}.npy", np.ascontiguousarray(pixels))


def bad(name, content):
    (BAD / name).write_bytes(content)


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def oriented(name, content, pixels=None):
    good(name, content, pixels)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    np.save(GOOD / f"{name}.upright.npy", np.asarray(upright))


# JPEG


def replaced(content, old, new):
    assert content.count(old) == 1, (content.count(old), old)
    return content.replace(old, new)


def jpeg_ycck():
    """What Pillow writes as CMYK, with luma and chroma in the place of inks, and an Adobe segment that says so."""
    y, cb, cr = RGB.convert("YCbCr").split()
    black = Image.fromarray(255 - np.asarray(ALPHA) // 3)
    # Pillow inverts all four when it writes.
    inverted = Image.merge("CMYK", [ImageOps.invert(band) for band in (y, cb, cr, black)])
    content = encoded(inverted, "JPEG", quality=90)
    return replaced(content, b"Adobe\x00\x64\x00\x00\x00\x00\x00", b"Adobe\x00\x64\x00\x00\x00\x00\x02")


def jpegs():
    for name, subsampling in ("444", "4:4:4"), ("422", "4:2:2"), ("420", "4:2:0"):
        good(f"jpeg-{name}.jpg", encoded(RGB, "JPEG", quality=85, subsampling=subsampling))
        progressive = encoded(RGB, "JPEG", quality=85, subsampling=subsampling, progressive=True)
        good(f"jpeg-{name}-progressive.jpg", progressive)
    good("jpeg-coarse.jpg", encoded(RGB, "JPEG", quality=3))
    good("jpeg-fine.jpg", encoded(RGB, "JPEG", quality=100, optimize=True))
    good("jpeg-gray.jpg", encoded(GRAY, "JPEG"))
    good("jpeg-gray-progressive.jpg", encoded(GRAY, "JPEG", progressive=True))
    good("jpeg-rgb.jpg", encoded(RGB, "JPEG", keep_rgb=True))
    good("jpeg-cmyk.jpg", encoded(RGB.convert("CMYK"), "JPEG", quality=90))
    good("jpeg-ycck.jpg", jpeg_ycck())
    good("jpeg-restarts.jpg", encoded(RGB, "JPEG", subsampling="4:4:4", restart_marker_blocks=1))
    good("jpeg-restarts-progressive.jpg", encoded(RGB, "JPEG", restart_marker_rows=1, progressive=True))
    for width, height in (1, 1), (17, 13), (16, 16), (3, 40), (2, 9):
        good(f"jpeg-{width}x{height}.jpg", encoded(picture(width, height), "JPEG"))
    for orientation in range(1, 9):
        content = encoded(picture(10, 6), "JPEG", exif=exif(orientation))
        oriented(f"jpeg-orientation-{orientation}.jpg", content)
    plain = encoded(RGB, "JPEG")
    good("jpeg-trailing-bytes.jpg", plain + b"trailing bytes")
    good("jpeg-no-end.jpg", plain[:-2], np.asarray(Image.open(io.BytesIO(plain))))
    good("jpeg-data-left-over.jpg", plain[:-2] + b"left over" + plain[-2:])
    good("jpeg-stray-bytes.jpg", replaced(plain, b"\xff\xc0\x00\x11", b"stray\xff\xc0\x00\x11"))
    good("jpeg-fill-bytes.jpg", replaced(plain, b"\xff\xc0\x00\x11", b"\xff" * 9 + b"\xc0\x00\x11"))
    many = b"".join(b"\xff%c\x00\x09segment" % (0xE1 + at % 14) for at in range(40))
    good("jpeg-many-segments.jpg", plain[:20] + many + plain[20:])


# PNG


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(array, depth, color, interlaced=False, extra=b""):
    """A PNG without filters, for the kinds that Pillow does not write. `array` holds values, not yet packed."""
    height, width = array.shape[:2]
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    lines = b""
    for x, y, step_x, step_y in passes:
        for row in map(np.ravel, array[y::step_y, x::step_x]):
            if depth == 16:
                packed = row.astype(">u2").tobytes()
            else:
                bits = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - depth :]
                packed = np.packbits(bits).tobytes()
            if row.size:
                lines += b"\0" + packed
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    parts = chunk(b"IHDR", head), extra, chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def pngs():
    rgb, gray = np.asarray(RGB), np.asarray(GRAY)
    good("png-rgb.png", encoded(RGB, "PNG", optimize=True))
    good("png-rgba.png", encoded(RGBA, "PNG"))
    good("png-palette.png", encoded(PALETTE, "PNG"))
    good("png-palette-4bit.png", encoded(RGB.quantize(11), "PNG"))
    good("png-palette-alpha.png", encoded(PALETTE, "PNG", transparency=bytes(range(0, 256, 8))))
    good("png-gray.png", encoded(GRAY, "PNG"))
    good("png-gray-alpha.png", encoded(Image.merge("LA", [GRAY, ALPHA]), "PNG"))
    good("png-1bit.png", encoded(RGB.convert("1"), "PNG"))
    good("png-gray-2bit.png", png(gray >> 6, 2, 0))
    good("png-gray-4bit.png", png(gray >> 4, 4, 0))
    good("png-rgb-16bit.png", png(WORDS, 16, 2))
    # Pillow clips gray of 16 bits at 255; here it is the high byte.
    high = np.repeat((WORDS[:, :, :1] >> 8).astype(np.uint8), 3, axis=2)
    good("png-gray-16bit.png", png(WORDS[:, :, :1], 16, 0), high)
    good("png-gray-alpha-16bit.png", png(WORDS[:, :, :2], 16, 4))
    good("png-interlaced.png", png(rgb, 8, 2, interlaced=True))
    good("png-interlaced-3x2.png", png(rgb[:2, :3], 8, 2, interlaced=True))
    good("png-rgb-transparent-colour.png", png(rgb, 8, 2, extra=chunk(b"tRNS", b"\0\1\0\2\0\3")))
    good("png-1x1.png", encoded(picture(1, 1), "PNG"))
    oriented("png-orientation-6.png", encoded(picture(10, 6), "PNG", exif=exif(6)))
    good("png-named.jpg", encoded(RGB, "PNG"))


# WebP, GIF, BMP, TIFF


def webps():
    good("webp-lossy.webp", encoded(RGB, "WEBP", quality=80))
    good("webp-lossy-coarse.webp", encoded(RGB, "WEBP", quality=5))
    good("webp-lossy-alpha.webp", encoded(RGBA, "WEBP", quality=80, exact=True))
    good("webp-lossless.webp", encoded(RGB, "WEBP", lossless=True))
    good("webp-lossless-alpha.webp", encoded(RGBA, "WEBP", lossless=True, exact=True))
    frames = [ImageOps.mirror(RGB)]
    good("webp-animated.webp", encoded(RGB, "WEBP", lossless=True, save_all=True, append_images=frames))
    for width, height in (1, 1), (17, 13):
        good(f"webp-lossy-{width}x{height}.webp", encoded(picture(width, height), "WEBP", quality=80))
    oriented("webp-orientation-8.webp", encoded(picture(10, 6), "WEBP", lossless=True, exif=exif(8)))


def gifs():
    good("gif-static.gif", encoded(PALETTE, "GIF", interlace=0))
    good("gif-interlaced.gif", encoded(PALETTE, "GIF", interlace=1))
    good("gif-gray.gif", encoded(GRAY, "GIF"))
    good("gif-transparent.gif", encoded(PALETTE, "GIF", transparency=3))
    frames = [ImageOps.mirror(RGB).quantize(32)]
    good("gif-animated.gif", encoded(PALETTE, "GIF", save_all=True, append_images=frames, duration=50))
    good("gif-1x1.gif", encoded(PALETTE.crop((5, 5, 6, 6)), "GIF"))
    plain = encoded(PALETTE, "GIF", interlace=0)
    screen, frame = struct.pack("<HH", W, H), b"," + struct.pack("<HHHH", 0, 0, W, H)
    larger = plain[:6] + struct.pack("<HH", W + 5, H + 4) + plain[10:]
    assert plain[6:10] == screen
    good("gif-frame-inside.gif", replaced(larger, frame, b"," + struct.pack("<HHHH", 3, 2, W, H)))


def bmps():
    good("bmp-24bit.bmp", encoded(RGB, "BMP"))
    good("bmp-32bit.bmp", encoded(RGBA, "BMP"))
    good("bmp-palette.bmp", encoded(PALETTE, "BMP"))
    good("bmp-gray.bmp", encoded(GRAY, "BMP"))
    good("bmp-1bit.bmp", encoded(RGB.convert("1"), "BMP"))
    # Rows top down: a negative height, and the rows in the other order.
    plain = encoded(ImageOps.flip(RGB), "BMP")
    good("bmp-top-down.bmp", plain[:22] + struct.pack("<i", -H) + plain[26:])


def tiff_file(array, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, array, software="", metadata=None, **options)
    return out.getvalue()


def tiffs():
    for name, compression in ("raw", "raw"), ("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate"), ("packbits", "packbits"):
        good(f"tiff-{name}.tiff", encoded(RGB, "TIFF", compression=compression))
    good("tiff-gray.tiff", encoded(GRAY, "TIFF"))
    good("tiff-rgba.tiff", encoded(RGBA, "TIFF", compression="tiff_lzw"))
    good("tiff-1bit.tiff", encoded(RGB.convert("1"), "TIFF"))
    good("tiff-cmyk.tiff", encoded(RGB.convert("CMYK"), "TIFF"))
    good("tiff-pages.tiff", encoded(RGB, "TIFF", save_all=True, append_images=[GRAY], compression="tiff_lzw"))
    good("tiff-tiles.tiff", tiff_file(np.asarray(RGB), tile=(16, 16), photometric="rgb", compression="zlib"))
    good("tiff-planar.tiff", tiff_file(np.asarray(RGB).transpose(2, 0, 1), photometric="rgb", planarconfig="separate"))
    good("tiff-big-endian.tiff", tiff_file(np.asarray(RGB), photometric="rgb", byteorder=">"))
    high = (WORDS >> 8).astype(np.uint8)
    good("tiff-rgb-16bit.tiff", tiff_file(WORDS, photometric="rgb", compression="zlib"), high)
    # Pillow clips gray of 16 bits at 255; here it is the high byte.
    gray = tiff_file(WORDS[:, :, 0], photometric="minisblack", byteorder=">")
    good("tiff-gray-16bit.tiff", gray, np.repeat(high[:, :, :1], 3, axis=2))
    stored = picture(10, 6)
    # Pillow turns a TIFF upright when it loads it; the pixels as stored are those that went in.
    oriented("tiff-orientation-3.tiff", encoded(stored, "TIFF", tiffinfo={0x0112: 3}), np.asarray(stored))


# What must be refused


def bads():
    samples = {
        "jpg": encoded(RGB, "JPEG", quality=85),
        "png": encoded(RGB, "PNG"),
        "webp": encoded(RGB, "WEBP", quality=80),
        "gif": encoded(PALETTE, "GIF"),
        "bmp": encoded(RGB, "BMP"),
        "tiff": encoded(RGB, "TIFF", compression="tiff_lzw"),
    }
    lossless = encoded(RGB, "WEBP", lossless=True)
    progressive = encoded(RGB, "JPEG", quality=85, progressive=True)
    for kind, content in samples.items():
        bad(f"truncated.{kind}", content[: len(content) * 3 // 4])
        bad(f"magic-only.{kind}", content[:12] if kind == "webp" else content[:8])
        bad(f"garbage-after-magic.{kind}", content[:12] + b"garbage in every byte " * 8)
    bad("truncated-header.jpg", samples["jpg"][:200])
    bad("truncated-progressive.jpg", progressive[: len(progressive) * 3 // 4])
    bad("truncated-then-ended.jpg", samples["jpg"][:-60] + b"\xff\xd9")
    bad("truncated-then-ended-progressive.jpg", progressive[:-60] + b"\xff\xd9")
    bad("truncated-lossless.webp", lossless[: len(lossless) * 3 // 4])
    bad("truncated-deflate.tiff", encoded(RGB, "TIFF", compression="tiff_adobe_deflate")[:-700])
    bad("truncated-raw.tiff", encoded(RGB, "TIFF")[:-700])
    bad("empty.jpg", b"")
    bad("text.jpg", b"This is not an image.\n")
    bad("html.png", b"<!DOCTYPE html><title>404</title>\n")

    plain = samples["jpg"]
    scan = plain.index(b"\xff\xda")
    middle = (scan + len(plain)) // 2
    bad("corrupt-middle.jpg", plain[:middle] + b"\xff\0" * 12 + plain[middle + 24 :])
    bad("marker-in-data.jpg", plain[:middle] + b"\xff\xc4" + plain[middle + 2 :])
    restarts = encoded(RGB, "JPEG", subsampling="4:4:4", restart_marker_blocks=1)
    lost = restarts.index(b"\xff\xd2")
    bad("restart-lost.jpg", restarts[:lost] + restarts[restarts.index(b"\xff\xd3") :])
    bad("restart-renumbered.jpg", restarts[:lost] + b"\xff\xd5" + restarts[lost + 2 :])
    bad("no-scan.jpg", plain[:scan] + b"\xff\xd9")
    second = [at for at in range(len(progressive) - 1) if progressive[at : at + 2] == b"\xff\xda"][1]
    # Up to the tables of the second scan: whole, but for all that would follow; the chroma is there, the fine detail is not.
    tables = progressive.rindex(b"\xff\xc4", 0, second)
    good("jpeg-progressive-first-scan.jpg", progressive[:tables] + b"\xff\xd9")

    def frame(content, precision=8, width=W, height=H, marker=0xC0):
        old = b"\xff\xc0\x00\x11" + struct.pack(">BHH", 8, H, W)
        return replaced(content, old, struct.pack(">BBHBHH", 0xFF, marker, 17, precision, height, width))

    cmyk = encoded(RGB.convert("CMYK"), "JPEG")
    bad("cmyk-sampling.jpg", replaced(cmyk, b"K\x11\0\xff", b"K\x13\0\xff"))
    bad("arithmetic.jpg", frame(plain, marker=0xC9))
    bad("12bit.jpg", frame(plain, precision=12))
    bad("taller-than-its-data.jpg", frame(plain, height=129))
    bad("huge.jpg", frame(plain, width=30000, height=30000))
    bad("zero-size.jpg", frame(plain, height=0))

    def png_of_size(width, height):
        head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(4000))) + chunk(b"IEND", b"")

    bad("huge.png", png_of_size(30000, 30000))
    bad("zero-size.png", png_of_size(0, 5))
    bad("too-few-rows.png", png_of_size(100, 100))
    content = samples["png"]
    data_at = content.index(b"IDAT") + 200
    bad("corrupt-middle.png", content[:data_at] + bytes([content[data_at] ^ 1]) + content[data_at + 1 :])
    gif = samples["gif"]
    bad("huge.gif", gif[:6] + struct.pack("<HH", 30000, 30000) + gif[10:])
    bad("zero-size.gif", gif[:6] + struct.pack("<HH", 0, H) + gif[10:])
    bmp = samples["bmp"]
    bad("huge.bmp", bmp[:18] + struct.pack("<ii", 30000, 30000) + bmp[26:])
    bad("zero-size.bmp", bmp[:18] + struct.pack("<ii", W, 0) + bmp[26:])
    bad("huge.webp", b"RIFF\x30\0\0\0WEBPVP8X" + struct.pack("<IIHBHB", 10, 0, 16382, 0, 16382, 0) + lossless[12:])
    huge = tiff_file(np.asarray(RGB), photometric="rgb")
    # Width, height and rows of the only strip, each a number of 16 or 32 bits.
    for tag, side in (256, W), (257, H), (278, H):
        short, long = struct.pack("<HHIHH", tag, 3, 1, side, 0), struct.pack("<HHII", tag, 4, 1, side)
        huge = replaced(huge, short if short in huge else long, struct.pack("<HHII", tag, 4, 1, 30000))
    bad("huge.tiff", huge)
    bad("palette.tiff", encoded(PALETTE, "TIFF"))
    bad("float.tiff", tiff_file(np.zeros((4, 5), np.float32), photometric="minisblack"))


for folder in GOOD, BAD:
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        if old.name != "expected.json":
            old.unlink()
for write in jpegs, pngs, webps, gifs, bmps, tiffs, bads:
    write()
