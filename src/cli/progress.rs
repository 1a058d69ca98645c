use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

use crate::store::Event;

/// A bar on standard error that tells how loading goes; nothing is drawn when that is no terminal.
#[derive(Default)]
pub(super) struct LoadBar {
    bar: Mutex<Option<ProgressBar>>,
    bytes: std::sync::atomic::AtomicU64,
}

impl LoadBar {
    /// Takes the next event, from any thread.
    pub(super) fn event(&self, event: Event<'_>) {
        use std::sync::atomic::Ordering::Relaxed;
        let mut slot = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            Event::Split { dataset, split, samples, .. } => {
                if let Some(done) = slot.take() {
                    done.finish_and_clear();
                }
                self.bytes.store(0, Relaxed);
                *slot = Some(bar(samples, &format!("{dataset}/{split}")));
            }
            Event::Sample { bytes } => {
                let total = self.bytes.fetch_add(bytes, Relaxed) + bytes;
                if let Some(bar) = slot.as_ref() {
                    bar.inc(1);
                    bar.set_message(indicatif::HumanBytes(total).to_string());
                }
            }
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

/// A bar over `count` things, with their rate and the time left.
pub(super) fn bar(count: u64, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {human_pos}/{human_len} {msg} {per_sec}, {eta} left");
    ProgressBar::new(count)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "))
        .with_prefix(what.to_owned())
}
