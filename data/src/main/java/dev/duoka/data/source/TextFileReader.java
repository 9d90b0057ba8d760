package dev.duoka.data.source;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One text file, which is one document. */
final class TextFileReader implements DocumentReader {
  /** Text of one document is one string and its tokens one array; more does not fit. */
  private static final int LARGEST = 1 << 30;

  private static final int SNIFFED = 8000;

  private final SourceFile file;
  private final ReadOptions options;
  private boolean done;

  TextFileReader(SourceFile file, ReadOptions options) {
    this.file = file;
    this.options = options;
  }

  @Override
  public @Nullable PendingDocument next() {
    if (done) {
      return null;
    }
    done = true;
    return options.pending(file.id(), file.displayName(), file.size(), this::load);
  }

  private String load() throws UnreadableDocumentException {
    byte[] bytes;
    try (InputStream stream = options.open(file)) {
      bytes = stream.readNBytes(LARGEST);
      if (bytes.length == LARGEST) {
        throw new DuokaException(
            ErrorCode.DATA,
            file.displayName() + " is one document of more than " + ByteSize.text(LARGEST),
            "Split it into several files, or write one document per line as JSONL.");
      }
    } catch (CharacterCodingException e) {
      throw SourceErrors.badEncoding(file);
    } catch (IOException e) {
      throw SourceErrors.unreadable(file, e);
    }
    if (!file.named() && options.sniffBinary() && isBinary(bytes)) {
      throw new UnreadableDocumentException(
          SkipReason.BINARY, file.displayName() + " is a binary file", "Leave it out.");
    }
    int start = hasByteOrderMark(bytes) ? 3 : 0;
    String text = Utf8.decode(bytes, start, bytes.length - start);
    if (text == null) {
      Optional<String> kind = Unread.kindOf(bytes);
      if (kind.isPresent()) {
        throw SourceErrors.otherKind(file, kind.get());
      }
      long offset = Utf8.firstMalformed(bytes, start, bytes.length - start);
      throw SourceErrors.badUtf8(file, "", start + offset);
    }
    return text;
  }

  private static boolean hasByteOrderMark(byte[] bytes) {
    return bytes.length >= 3
        && bytes[0] == (byte) 0xEF
        && bytes[1] == (byte) 0xBB
        && bytes[2] == (byte) 0xBF;
  }

  private static boolean isBinary(byte[] bytes) {
    for (int i = 0; i < Math.min(bytes.length, SNIFFED); i++) {
      if (bytes[i] == 0) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() {
    // Nothing is open between documents.
  }
}
