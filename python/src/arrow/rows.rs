//! The rows of a column of strings or bytes, whichever of Arrow's layouts it has.

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, BinaryArray, BinaryViewArray, LargeBinaryArray};
use arrow_schema::{ArrowError, DataType};
use std::ops::Range;

/// A column of rows. Strings are taken as bytes, since not everybody who makes them checks them: a row
/// that is not UTF-8 is a reject.
pub(super) enum Rows {
    Bytes(BinaryArray),
    Large(LargeBinaryArray),
    View(BinaryViewArray),
}

impl Rows {
    /// Whether a column of this type has rows.
    pub(super) fn takes(kind: &DataType) -> bool {
        use DataType::{Binary, BinaryView, LargeBinary, LargeUtf8, Utf8, Utf8View};
        matches!(kind, Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView)
    }

    /// The column's rows; nothing is copied.
    pub(super) fn of(column: &ArrayRef) -> Result<Rows, ArrowError> {
        Ok(match column.data_type() {
            DataType::Utf8 => Rows::Bytes(column.as_string::<i32>().clone().into()),
            DataType::LargeUtf8 => Rows::Large(column.as_string::<i64>().clone().into()),
            DataType::Utf8View => Rows::View(column.as_string_view().clone().to_binary_view()),
            DataType::Binary => Rows::Bytes(column.as_binary::<i32>().clone()),
            DataType::LargeBinary => Rows::Large(column.as_binary::<i64>().clone()),
            DataType::BinaryView => Rows::View(column.as_binary_view().clone()),
            other => return Err(ArrowError::SchemaError(format!("a batch has a column of type {other}"))),
        })
    }

    /// The rows in `range` that are not null, with their numbers.
    pub(super) fn range(&self, range: Range<usize>) -> impl Iterator<Item = (u64, &[u8])> + '_ {
        range.filter_map(|at| Some((at as u64, self.get(at)?)))
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        match self {
            Rows::Bytes(column) => column.is_valid(at).then(|| column.value(at)),
            Rows::Large(column) => column.is_valid(at).then(|| column.value(at)),
            Rows::View(column) => column.is_valid(at).then(|| column.value(at)),
        }
    }
}
