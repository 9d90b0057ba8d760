package dev.duoka.formats.json;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/**
 * A document, for errors about its fields.
 *
 * @param name of the document
 * @param attempt what failed when a field is wrong, for example {@code cannot read config.json}
 * @param code what kind of error that is
 * @param remedy what to do where nothing better is known
 */
public record JsonSource(String name, String attempt, ErrorCode code, String remedy) {
  /** A document that is read. */
  static JsonSource read(String name, ErrorCode code) {
    return new JsonSource(name, "cannot read " + name, code, "Correct it, or copy the file again.");
  }

  DuokaException error(String problem, String remedy) {
    return new DuokaException(code, attempt + ": " + problem, remedy);
  }
}
