use embedded_graphics::Drawable as _;
use embedded_graphics::geometry::Point;
use embedded_graphics::mono_font::iso_8859_1::{FONT_6X13, FONT_6X13_BOLD, FONT_8X13, FONT_8X13_BOLD};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::text::{Alignment, Baseline, Text, TextStyleBuilder};

use super::Slot;
use super::canvas::Canvas;

/// The two weights of a bitmap font in which a sheet is labelled.
#[derive(Clone, Copy)]
pub(super) struct Lettering {
    regular: &'static MonoFont<'static>,
    bold: &'static MonoFont<'static>,
}

/// Tiles narrower than this get the narrow font. At this width `astronaut 0.63 / coffee 0.37` just fits the wide one.
const WIDE: u32 = 224;

/// Rows between two lines of text.
const LEADING: u32 = 3;

const STRONG: Rgb888 = Rgb888::new(0x1c, 0x1c, 0x1c);
const PALE: Rgb888 = Rgb888::new(0x66, 0x66, 0x66);

impl Lettering {
    pub(super) fn for_width(tile_width: u32) -> Self {
        if tile_width < WIDE {
            Lettering { regular: &FONT_6X13, bold: &FONT_6X13_BOLD }
        } else {
            Lettering { regular: &FONT_8X13, bold: &FONT_8X13_BOLD }
        }
    }

    pub(super) fn line_height(self) -> u32 {
        self.regular.character_size.height + LEADING
    }

    /// Line `index` of a caption: the first is darker.
    pub(super) fn caption(self, canvas: &mut Canvas, index: usize, text: &str, slot: Slot) {
        write(canvas, MonoTextStyle::new(self.regular, if index == 0 { STRONG } else { PALE }), text, slot);
    }

    /// A heading of a column.
    pub(super) fn heading(self, canvas: &mut Canvas, text: &str, slot: Slot) {
        write(canvas, MonoTextStyle::new(self.bold, STRONG), text, slot);
    }
}

/// One line of text, centred in `slot`.
fn write(canvas: &mut Canvas, style: MonoTextStyle<'_, Rgb888>, text: &str, slot: Slot) {
    let text = shorten(text, (slot.width / style.font.character_size.width) as usize);
    let layout = TextStyleBuilder::new().alignment(Alignment::Center).baseline(Baseline::Top).build();
    let at = Point::new((slot.x + slot.width / 2) as i32, slot.y as i32);
    let Ok(_) = Text::with_text_style(&text, at, style, layout).draw(canvas);
}

/// `text` in at most `most` characters, an ellipsis in place of the rest. Control characters, which would move the pen, become
/// `?`; so does what the font lacks.
pub(super) fn shorten(text: &str, most: usize) -> String {
    let printable = text.chars().map(|c| if c.is_control() { '?' } else { c });
    if text.chars().count() <= most {
        return printable.collect();
    }
    let dots = most.min(3);
    printable.take(most - dots).chain(std::iter::repeat_n('.', dots)).collect()
}

/// What a soft label says, heaviest class first: `cat 0.63 / coffee 0.37`, or `cat` alone when it has all of the weight. At most
/// three classes; those that would show as 0.00 are left out. A class without a name is called by its number.
pub fn label_caption(weights: &[f32], names: &[impl AsRef<str>]) -> String {
    let mut heaviest: Vec<(usize, f32)> = weights.iter().copied().enumerate().filter(|(_, w)| *w >= 0.005).collect();
    // Stable: of equal weights the lower class comes first.
    heaviest.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    heaviest.truncate(3);
    let name =
        |class: usize| names.get(class).map_or_else(|| format!("class {class}"), |name| name.as_ref().to_owned());
    match heaviest[..] {
        [(class, weight)] if weight >= 0.995 => name(class),
        _ => heaviest
            .iter()
            .map(|(class, weight)| format!("{} {weight:.2}", name(*class)))
            .collect::<Vec<_>>()
            .join(" / "),
    }
}
