//! Parquet in row groups of bounded size, compressed by Snappy: what stands in memory is one
//! group. Texts are shared, and repeat as numbers of each column's dictionary.

use super::{Sink, Table, labels};
use crate::telemetry::{Found, SampleRow};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::io;
use std::sync::Arc;

const ROWS_OF_A_GROUP: usize = 64 * 1024;
const SCHEMA: &str = "
    message readings {
        required int64 time (TIMESTAMP(MILLIS, true));
        required binary device_id (STRING);
        required int64 series_id;
        required binary metric (STRING);
        required binary labels (STRING);
        required binary unit (STRING);
        optional double value;
        optional binary no_data (STRING);
    }";

/// The texts of one series, shared by its rows.
struct Texts {
    device: ByteArray,
    id: i64,
    metric: ByteArray,
    labels: ByteArray,
    unit: ByteArray,
}

pub(super) struct Parquet {
    texts: Vec<Texts>,
    rows: Vec<SampleRow>,
    file: SerializedFileWriter<Sink>,
}

impl Parquet {
    pub(super) fn begin(series: Arc<[Found]>, sink: Sink) -> io::Result<Self> {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let file = SerializedFileWriter::new(sink, schema, Arc::new(properties))?;
        let texts = series.iter().map(|found| Texts {
            device: ByteArray::from(found.device.to_string().into_bytes()),
            id: found.series.id.0,
            metric: ByteArray::from(found.series.metric.clone().into_bytes()),
            labels: ByteArray::from(labels(found).into_bytes()),
            unit: ByteArray::from(found.series.unit.ucum().as_bytes().to_vec()),
        });
        Ok(Self { texts: texts.collect(), rows: Vec::new(), file })
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        let texts = |row: &SampleRow| &self.texts[row.series];
        let all = &self.rows;
        required::<Int64Type>(&mut group, all.iter().map(|row| row.at_ms.cast_signed()))?;
        required::<ByteArrayType>(&mut group, all.iter().map(|row| texts(row).device.clone()))?;
        required::<Int64Type>(&mut group, all.iter().map(|row| texts(row).id))?;
        required::<ByteArrayType>(&mut group, all.iter().map(|row| texts(row).metric.clone()))?;
        required::<ByteArrayType>(&mut group, all.iter().map(|row| texts(row).labels.clone()))?;
        required::<ByteArrayType>(&mut group, all.iter().map(|row| texts(row).unit.clone()))?;
        optional::<DoubleType>(&mut group, all.iter().map(|row| row.value))?;
        let reason = |row: &SampleRow| row.reason.map(|reason| ByteArray::from(reason.name()));
        optional::<ByteArrayType>(&mut group, all.iter().map(reason))?;
        group.close()?;
        self.rows.clear();
        Ok(())
    }
}

impl Table for Parquet {
    fn rows(&mut self, rows: &[SampleRow]) -> io::Result<()> {
        for row in rows {
            self.rows.push(*row);
            if self.rows.len() == ROWS_OF_A_GROUP {
                self.write_group()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if !self.rows.is_empty() {
            self.write_group()?;
        }
        let mut sink = self.file.into_inner()?;
        io::Write::flush(&mut sink)
    }
}

/// The next column of the group, with a value in every row.
fn required<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Sink>,
    values: impl Iterator<Item = T::T>,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = values.collect();
    write_column::<T>(group, &values, None)
}

fn optional<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Sink>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let (mut levels, mut present) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(i16::from(value.is_some()));
        present.extend(value);
    }
    write_column::<T>(group, &present, Some(&levels))
}

fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Sink>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("the schema has fewer columns than are written".into());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}
