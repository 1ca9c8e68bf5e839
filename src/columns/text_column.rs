//! A column of texts that grows. Most columns hold the same text in every event: such a column is made once, and each
//! batch is a slice of it.

use arrow_array::builder::StringBuilder;
use arrow_array::{Array as _, StringArray};
use arrow_buffer::NullBuffer;
use arrow_schema::ArrowError;

/// A column of texts that grows.
#[derive(Debug, Default)]
pub(super) struct TextColumn {
    /// What all events so far have; nothing if there is none yet, or if they differ.
    same: Option<Option<String>>,
    /// The rows so far, if events differ.
    rows: Option<StringBuilder>,
    /// A text, and many rows of it, to make slices of.
    copies: Option<(Option<String>, StringArray)>,
}

impl TextColumn {
    /// Whether no two events differ so far.
    pub(super) fn is_one_text(&self) -> bool {
        self.rows.is_none()
    }

    /// Whether the rows so far need not be looked at if the next events all have `text`. It is noted.
    pub(super) fn stays_the_same(&mut self, text: Option<&str>) -> bool {
        if self.rows.is_some() {
            return false;
        }
        match &self.same {
            Some(same) => same.as_deref() == text,
            None => {
                self.same = Some(text.map(str::to_owned));
                true
            }
        }
    }

    /// The rows so far, one by one. Rows without an event have no text.
    pub(super) fn rows(&mut self, is_event: &[bool]) -> &mut StringBuilder {
        let same = self.same.take().flatten();
        self.rows.get_or_insert_with(|| {
            let mut rows = StringBuilder::new();
            is_event.iter().for_each(|is_event| rows.append_option(same.as_ref().filter(|_| *is_event)));
            rows
        })
    }

    /// The rows as an array. `events` says which of the `count` rows are events, if not all are.
    pub(super) fn finish(
        &mut self,
        count: usize,
        events: Option<&NullBuffer>,
    ) -> Result<StringArray, ArrowError> {
        if let Some(mut rows) = self.rows.take() {
            return Ok(rows.finish());
        }
        let same = self.same.take().flatten();
        let copies = match self.copies.take() {
            Some((text, copies)) if text == same && copies.len() >= count => copies,
            _ => copies_of(same.as_deref(), count.next_power_of_two()),
        };
        let array = copies.slice(0, count);
        self.copies = Some((same, copies));
        if array.null_count() > 0 || events.is_none() {
            return Ok(array);
        }
        let (offsets, values, _) = array.into_parts();
        StringArray::try_new(offsets, values, events.cloned())
    }
}

/// This many rows of one text, or of nothing.
fn copies_of(text: Option<&str>, count: usize) -> StringArray {
    match text {
        Some(text) => StringArray::from_iter_values(std::iter::repeat_n(text, count)),
        None => StringArray::new_null(count),
    }
}
