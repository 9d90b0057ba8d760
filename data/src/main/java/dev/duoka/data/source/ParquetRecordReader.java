package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.hardwood.reader.RowReader;
import dev.hardwood.row.PqList;
import dev.hardwood.row.PqMap;
import dev.hardwood.row.PqStruct;
import dev.hardwood.row.StructAccessor;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Whole rows of a Parquet file as JSON: groups become objects, lists arrays. */
final class ParquetRecordReader implements DocumentReader {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final ParquetFile file;
  private final ReadOptions options;
  private final RowReader rows;
  private long row;

  /** Whether the rest of the file cannot be read. */
  private boolean broken;

  ParquetRecordReader(ParquetFile file, ReadOptions options) {
    this.file = file;
    this.options = options;
    this.rows = file.read(() -> file.reader().rowReader());
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
    if (!file.read(rows::hasNext)) {
      return null;
    }
    row++;
    ObjectNode record =
        file.read(
            () -> {
              rows.next();
              return object(rows);
            });
    String json = record.toString();
    return options.pending(
        file.file().id() + "#" + row,
        file.file().displayName() + " row " + row,
        json.length(),
        () -> json);
  }

  private static ObjectNode object(StructAccessor struct) {
    ObjectNode object = NODES.objectNode();
    for (int i = 0; i < struct.getFieldCount(); i++) {
      object.set(struct.getFieldName(i), node(struct.isNull(i) ? null : struct.getValue(i)));
    }
    return object;
  }

  private static JsonNode node(@Nullable Object value) {
    return switch (value) {
      case null -> NODES.nullNode();
      case PqStruct struct -> object(struct);
      case PqList list -> {
        ArrayNode array = NODES.arrayNode();
        for (int i = 0; i < list.size(); i++) {
          array.add(node(list.isNull(i) ? null : list.get(i)));
        }
        yield array;
      }
      case PqMap map -> {
        ObjectNode object = NODES.objectNode();
        for (PqMap.Entry entry : map.getEntries()) {
          object.set(
              String.valueOf(entry.getKey()), node(entry.isValueNull() ? null : entry.getValue()));
        }
        yield object;
      }
      case Boolean bool -> NODES.booleanNode(bool);
      case Integer number -> NODES.numberNode(number);
      case Long number -> NODES.numberNode(number);
      case Float number -> NODES.numberNode(number);
      case Double number -> NODES.numberNode(number);
      case BigDecimal number -> NODES.numberNode(number);
      case byte[] bytes -> NODES.binaryNode(bytes);
      case Object other -> NODES.stringNode(other.toString());
    };
  }

  @Override
  public void close() {
    try (file) {
      rows.close();
    }
  }
}
