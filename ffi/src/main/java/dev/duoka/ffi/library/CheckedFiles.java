package dev.duoka.ffi.library;

import dev.duoka.base.CrashSafeFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Files of a folder whose content was read and found right, with what the file system said of them
 * then: a file of the same size, times and inode is not read again for a week. The time of a change
 * cannot be set by programs, so that only a disk that returns other bytes than were written goes
 * unnoticed for so long.
 */
final class CheckedFiles {
  /** In the folder; without it all files are read. */
  static final String NAME = "checked.tsv";

  private static final Duration TRUST = Duration.ofDays(7);

  private final Map<String, String> stamps = new TreeMap<>();
  private boolean changed;

  /** What is known of a folder; nothing where the list is missing, old, or damaged itself. */
  static CheckedFiles in(Path folder) {
    CheckedFiles files = new CheckedFiles();
    Path list = folder.resolve(NAME);
    try {
      if (Files.isRegularFile(list) && age(list).compareTo(TRUST) < 0) {
        List<String> lines = Files.readAllLines(list, StandardCharsets.ISO_8859_1);
        int last = lines.size() - 1;
        if (last >= 0 && checksum(lines.subList(0, last)).equals(lines.get(last))) {
          for (String line : lines.subList(0, last)) {
            int tab = line.indexOf('\t');
            files.stamps.put(line.substring(0, tab), line.substring(tab + 1));
          }
        }
      }
    } catch (IOException e) {
      return new CheckedFiles(); // nothing is known then, and all is read
    }
    return files;
  }

  private static Duration age(Path list) throws IOException {
    return Duration.between(Files.getLastModifiedTime(list).toInstant(), Instant.now()).abs();
  }

  /** Whether a file is as it was when it was found right. */
  boolean trusts(Path file) throws IOException {
    return stamp(file).equals(stamps.get(String.valueOf(file.getFileName())));
  }

  /** Notes that a file was read and is right. */
  void add(Path file) throws IOException {
    stamps.put(String.valueOf(file.getFileName()), stamp(file));
    changed = true;
  }

  /** Writes the list, if it is another one than was read. */
  void save(Path folder) throws IOException {
    if (changed) {
      List<String> lines =
          stamps.entrySet().stream().map(each -> each.getKey() + '\t' + each.getValue()).toList();
      String text = String.join("\n", lines) + '\n' + checksum(lines) + '\n';
      CrashSafeFiles.publish(folder.resolve(NAME), text.getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  private static String stamp(Path file) throws IOException {
    List<String> facts = new ArrayList<>();
    for (String fact : List.of("size", "lastModifiedTime", "ctime", "ino")) {
      facts.add(
          String.valueOf(Files.getAttribute(file, "unix:" + fact, LinkOption.NOFOLLOW_LINKS)));
    }
    return String.join("\t", facts);
  }

  private static String checksum(List<String> lines) {
    CRC32C crc = new CRC32C();
    lines.forEach(line -> crc.update((line + '\n').getBytes(StandardCharsets.ISO_8859_1)));
    return Long.toHexString(crc.getValue());
  }
}
