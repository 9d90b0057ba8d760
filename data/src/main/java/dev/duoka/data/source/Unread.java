package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Kinds of files and places that are known and not read, so that they can be named. */
final class Unread {
  private static final Pattern ADDRESS = Pattern.compile("[a-zA-Z][a-zA-Z0-9+.-]*://.*");

  /** By the last extension. */
  private static final Map<String, String> KINDS =
      Map.ofEntries(
          Map.entry(".xz", "compressed by xz (unpack it: xz -dk FILE)"),
          Map.entry(".lzma", "compressed by lzma (unpack it: xz -dk FILE)"),
          Map.entry(".bz2", "compressed by bzip2 (unpack it: bzip2 -dk FILE)"),
          Map.entry(".lz4", "compressed by lz4 (unpack it: lz4 -dk FILE)"),
          Map.entry(".z", "compressed by compress (unpack it: gzip -dk FILE)"),
          Map.entry(".br", "compressed by brotli (unpack it: brotli -dk FILE)"),
          Map.entry(".tar", "a tar archive (unpack it: tar -xf FILE)"),
          Map.entry(".tgz", "a tar archive (unpack it: tar -xf FILE)"),
          Map.entry(".tbz2", "a tar archive (unpack it: tar -xf FILE)"),
          Map.entry(".txz", "a tar archive (unpack it: tar -xf FILE)"),
          Map.entry(".7z", "a 7-Zip archive (unpack it: 7z x FILE)"),
          Map.entry(".rar", "a RAR archive (unpack it: unrar x FILE)"),
          Map.entry(".arrow", "an Arrow file (write it as Parquet, or as JSONL)"));

  /** What a file begins with, for those whose name does not say it. */
  private static final Map<String, String> MAGIC =
      Map.of(
          "fd377a585a00", "compressed by xz",
          "425a68", "compressed by bzip2",
          "1f8b", "compressed by gzip (name it .gz)",
          "28b52ffd", "compressed by zstd (name it .zst)",
          "504b0304", "a zip archive (name it .zip)",
          "50415231", "a Parquet file (name it .parquet)",
          "377abcaf271c", "a 7-Zip archive",
          "fffe", "text in UTF-16 (set data.encoding: utf-16)",
          "feff", "text in UTF-16 (set data.encoding: utf-16)");

  private static final int TAR_MAGIC_AT = 257;

  private static final List<String> TEXT =
      List.of(".jsonl", ".ndjson", ".json", ".parquet", ".txt", ".text", ".md", ".csv", ".tsv");

  private Unread() {}

  /** Refuses an address: sources are on the disk. */
  static void refuseAddress(String location) {
    if (ADDRESS.matcher(location).matches()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the source " + location + " is an address; sources are read from the disk alone",
          "Download it first (curl -LO, hf download, git clone), and name the file or folder.");
    }
  }

  /**
   * Refuses a kind of file that is not read.
   *
   * @param named whether the user named it; of a folder only what is data by its inner name, such
   *     as {@code a.jsonl.xz}, is refused, since the rest is left out as binary
   */
  static void refuse(String name, String shown, boolean named) {
    String lower = name.toLowerCase(Locale.ROOT);
    int dot = lower.lastIndexOf('.');
    String kind = dot < 0 ? null : KINDS.get(lower.substring(dot));
    boolean tar = lower.endsWith(".tar.gz") || lower.endsWith(".tar.zst");
    if (tar) {
      kind = KINDS.get(".tar");
    }
    if (kind == null) {
      return;
    }
    String inner = lower.substring(0, dot);
    if (named || TEXT.stream().anyMatch(inner::endsWith)) {
      throw new DuokaException(
          ErrorCode.DATA,
          shown + " is " + kind.replace("FILE", name) + ", which is not read as a source",
          "Read are text, JSON, JSONL and Parquet, plain, as .gz or .zst, and in .zip and .jar.");
    }
  }

  /** What content is that is no text; empty where nothing is known of it. */
  static Optional<String> kindOf(byte[] content) {
    StringBuilder start = new StringBuilder();
    for (int i = 0; i < Math.min(8, content.length); i++) {
      start.append(String.format(Locale.ROOT, "%02x", content[i]));
    }
    for (Map.Entry<String, String> magic : MAGIC.entrySet()) {
      if (start.indexOf(magic.getKey()) == 0) {
        return Optional.of(magic.getValue());
      }
    }
    byte[] tar = {'u', 's', 't', 'a', 'r'};
    boolean isTar = content.length > TAR_MAGIC_AT + tar.length;
    for (int i = 0; isTar && i < tar.length; i++) {
      isTar = content[TAR_MAGIC_AT + i] == tar[i];
    }
    return isTar ? Optional.of("a tar archive") : Optional.empty();
  }
}
