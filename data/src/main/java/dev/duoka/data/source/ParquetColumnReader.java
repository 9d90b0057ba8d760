package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.hardwood.metadata.PhysicalType;
import dev.hardwood.reader.ColumnReader;
import dev.hardwood.reader.Validity;
import dev.hardwood.schema.SchemaNode;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One text column of a Parquet file; the other columns are not read. */
final class ParquetColumnReader implements DocumentReader {
  private final ParquetFile file;
  private final ReadOptions options;
  private final String name;
  private final ColumnReader column;
  private byte[] values = new byte[0];
  private int[] offsets = new int[0];
  private Validity validity = Validity.NO_NULLS;
  private int index;
  private int count;
  private long row;

  /** Whether the rest of the file cannot be read. */
  private boolean broken;

  ParquetColumnReader(ParquetFile file, ReadOptions options, String name) {
    this.file = file;
    this.options = options;
    this.name = name;
    SchemaNode node = file.column(name);
    if (!(node instanceof SchemaNode.PrimitiveNode primitive)
        || primitive.type() != PhysicalType.BYTE_ARRAY
        || primitive.maxRepetitionLevel() > 0) {
      throw new DuokaException(
          ErrorCode.DATA,
          "column '" + name + "' of " + file.file().displayName() + " does not hold text",
          "Set data.field to a string column.");
    }
    this.column = file.read(() -> file.reader().columnReader(name));
  }

  @Override
  public @Nullable PendingDocument next() {
    if (broken) {
      return null;
    }
    try {
      return read();
    } catch (DuokaException e) {
      if (row == 0) {
        throw e; // it is no file of rows, or lacks the column
      }
      broken = true;
      return file.rest(options, row, e);
    }
  }

  private @Nullable PendingDocument read() {
    while (index == count) {
      if (!file.read(this::nextBatch)) {
        return null;
      }
    }
    int at = index++;
    row++;
    String id = file.file().id() + "#" + row;
    String place = " row " + row;
    if (file.read(() -> validity.isNull(at))) {
      return options.pending(
          id,
          file.file().displayName() + place,
          0,
          () -> {
            throw JsonRecords.noText(file.file(), place, name, "is null");
          });
    }
    byte[] bytes = file.read(() -> Arrays.copyOfRange(values, offsets[at], offsets[at + 1]));
    return options.pending(
        id,
        file.file().displayName() + place,
        bytes.length,
        () -> {
          String text = Utf8.decode(bytes, 0, bytes.length);
          if (text == null) {
            long offset = Utf8.firstMalformed(bytes, 0, bytes.length);
            throw SourceErrors.badUtf8(file.file(), place, offset);
          }
          return text;
        });
  }

  private boolean nextBatch() {
    if (!column.nextBatch()) {
      return false;
    }
    count = column.getRecordCount();
    values = column.getBinaryValues();
    offsets = column.getBinaryOffsets();
    validity = column.getLeafValidity();
    index = 0;
    return true;
  }

  @Override
  public void close() {
    try (file) {
      column.close();
    }
  }
}
