package dev.duoka.data.source;

import com.github.luben.zstd.ZstdInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.zip.GZIPInputStream;

/** Whole-file compression, known by the file's last extension. */
enum Compression {
  NONE(""),
  GZIP(".gz"),
  ZSTD(".zst");

  private static final int BUFFER = 1 << 16;

  private final String suffix;

  Compression(String suffix) {
    this.suffix = suffix;
  }

  static Compression of(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    for (Compression compression : new Compression[] {GZIP, ZSTD}) {
      if (lower.endsWith(compression.suffix)) {
        return compression;
      }
    }
    return NONE;
  }

  String stripSuffix(String name) {
    return name.substring(0, name.length() - suffix.length());
  }

  /** Takes the compression off; closes {@code stored} if that fails at once. */
  InputStream open(InputStream stored) throws IOException {
    try {
      return switch (this) {
        case NONE -> stored;
        case GZIP -> new GZIPInputStream(stored, BUFFER);
        case ZSTD -> new ZstdInputStream(stored);
      };
    } catch (IOException e) {
      stored.close();
      throw e;
    }
  }
}
