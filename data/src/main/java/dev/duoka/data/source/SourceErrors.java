package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;

/** Messages that several readers share. */
final class SourceErrors {
  static final String SKIP_REMEDY = "or set data.on_bad_text to skip to leave such documents out";

  private SourceErrors() {}

  static DuokaException unreadable(SourceFile file, IOException cause) {
    return new DuokaException(
        ErrorCode.DATA,
        "cannot read " + file.displayName() + ": " + reason(cause),
        "Check that the file is complete and readable.",
        cause);
  }

  static UnreadableDocumentException badUtf8(SourceFile file, String place, long offset) {
    return new UnreadableDocumentException(
        SkipReason.BAD_UTF8,
        file.displayName() + place + " is not valid UTF-8 at byte " + offset,
        "Convert the file (iconv -f ENCODING -t UTF-8), " + SKIP_REMEDY + ".");
  }

  static String reason(Throwable cause) {
    String message = cause.getMessage();
    return cause.getClass().getSimpleName() + (message == null ? "" : " (" + message + ")");
  }
}
