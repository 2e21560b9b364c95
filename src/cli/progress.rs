//! The progress bar on a terminal: bytes, records, rate.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub struct Bar(Option<ProgressBar>);

impl Bar {
    pub fn new(wanted: bool, size: Option<u64>) -> Bar {
        if !wanted {
            return Bar(None);
        }
        let template = match size {
            Some(_) => "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec}, {msg}, {eta} left",
            None => "{spinner} {bytes} {binary_bytes_per_sec}, {msg}",
        };
        let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::stderr_with_hz(8));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Bar(Some(bar))
    }

    pub fn show(&self, records: u64, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(bytes);
            bar.set_message(format!("{records} records"));
        }
    }

    pub fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
