//! Several texts of one record as one value.

use super::pen::Pen;
use super::read::convert;
use super::value::{Failed, Val};
use crate::ops::Step;
use crate::plan::Read;

impl<'a> Pen<'a> {
    /// The texts of those reads that hold something, set apart by `by`, with the steps applied.
    pub(super) fn joined(&mut self, reads: &[Read], by: &str, steps: &[Step]) -> Result<Val<'a>, Failed> {
        let mut whole = String::new();
        let mut some = false;
        for read in reads {
            let val = self.value(read)?;
            if matches!(val, Val::Nothing) {
                continue;
            }
            if some {
                whole.push_str(by);
            }
            some = true;
            self.text_of(val, &mut whole)?;
        }
        if !some {
            return Ok(Val::Nothing);
        }
        let made = match steps {
            [] => Ok(Val::Text),
            steps => {
                let mut out = String::new();
                convert(steps, &mut whole, true, &mut out, &mut self.standing.default)
            }
        };
        self.standing.text = whole;
        made
    }
}
