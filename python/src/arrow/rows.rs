//! The rows of a column of strings or bytes, whichever of Arrow's layouts it has.

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef};
use arrow_array::{BinaryArray, BinaryViewArray, LargeBinaryArray, LargeStringArray, StringArray, StringViewArray};
use arrow_schema::{ArrowError, DataType};
use std::ops::Range;

/// A column of rows.
pub(super) enum Rows<'a> {
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    TextView(&'a StringViewArray),
    Bytes(&'a BinaryArray),
    LargeBytes(&'a LargeBinaryArray),
    BytesView(&'a BinaryViewArray),
}

impl<'a> Rows<'a> {
    /// Whether a column of this type has rows.
    pub(super) fn takes(kind: &DataType) -> bool {
        use DataType::{Binary, BinaryView, LargeBinary, LargeUtf8, Utf8, Utf8View};
        matches!(kind, Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView)
    }

    pub(super) fn of(column: &'a ArrayRef) -> Result<Rows<'a>, ArrowError> {
        Ok(match column.data_type() {
            DataType::Utf8 => Rows::Text(column.as_string()),
            DataType::LargeUtf8 => Rows::LargeText(column.as_string()),
            DataType::Utf8View => Rows::TextView(column.as_string_view()),
            DataType::Binary => Rows::Bytes(column.as_binary()),
            DataType::LargeBinary => Rows::LargeBytes(column.as_binary()),
            DataType::BinaryView => Rows::BytesView(column.as_binary_view()),
            other => return Err(ArrowError::SchemaError(format!("a batch has a column of type {other}"))),
        })
    }

    /// The rows in `range` that are not null, with their numbers.
    pub(super) fn range(&self, range: Range<usize>) -> impl Iterator<Item = (u64, &'a [u8])> + '_ {
        range.filter_map(|at| Some((at as u64, self.get(at)?)))
    }

    fn get(&self, at: usize) -> Option<&'a [u8]> {
        match self {
            Rows::Text(column) => column.is_valid(at).then(|| column.value(at).as_bytes()),
            Rows::LargeText(column) => column.is_valid(at).then(|| column.value(at).as_bytes()),
            Rows::TextView(column) => column.is_valid(at).then(|| column.value(at).as_bytes()),
            Rows::Bytes(column) => column.is_valid(at).then(|| column.value(at)),
            Rows::LargeBytes(column) => column.is_valid(at).then(|| column.value(at)),
            Rows::BytesView(column) => column.is_valid(at).then(|| column.value(at)),
        }
    }
}
