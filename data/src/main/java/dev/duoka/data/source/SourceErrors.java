package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;

/** Messages that several readers share. */
final class SourceErrors {
  static final String SKIP_REMEDY = "or set data.on_bad_record to skip to leave such documents out";

  private SourceErrors() {}

  static DuokaException unreadable(SourceFile file, IOException cause) {
    if (cause instanceof CharacterCodingException) {
      return badEncoding(file).refusal();
    }
    return new DuokaException(
        ErrorCode.DATA,
        "cannot read " + file.displayName() + ": " + reason(cause),
        "Check that the file is complete and readable.",
        cause);
  }

  static UnreadableDocumentException badEncoding(SourceFile file) {
    return new UnreadableDocumentException(
        SkipReason.BAD_UTF8,
        file.displayName() + " has bytes that are no text in data.encoding",
        "Set data.encoding to the file's own, " + SKIP_REMEDY + ".");
  }

  static UnreadableDocumentException otherKind(SourceFile file, String kind) {
    return new UnreadableDocumentException(
        SkipReason.BAD_UTF8,
        file.displayName() + " is no UTF-8: by its content it is " + kind,
        "Read are text, JSON, JSONL and Parquet, plain, as .gz or .zst, and in .zip and .jar; "
            + SKIP_REMEDY
            + ".");
  }

  static UnreadableDocumentException badUtf8(SourceFile file, String place, long offset) {
    return new UnreadableDocumentException(
        SkipReason.BAD_UTF8,
        file.displayName() + place + " is not valid UTF-8 at byte " + offset,
        "Set data.encoding where all files have another, for example gb18030 or utf-16, convert the"
            + " file (iconv -f ENCODING -t UTF-8), "
            + SKIP_REMEDY
            + ".");
  }

  static String reason(Throwable cause) {
    String message = cause.getMessage();
    return cause.getClass().getSimpleName() + (message == null ? "" : " (" + message + ")");
  }
}
