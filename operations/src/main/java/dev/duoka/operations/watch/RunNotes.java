package dev.duoka.operations.watch;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ObjectNode;

/**
 * What people have written of a run: {@value #NAME} of its folder, in which a line {@code tags:
 * baseline, sweep} names its tags.
 *
 * @param text all of it
 */
public record RunNotes(String text) {
  private static final String NAME = "notes.md";

  private static final int MOST_BYTES = 64 << 10;
  private static final int MOST_TAGS = 32;
  private static final int LONGEST_TAG = 48;
  private static final Pattern LINE = Pattern.compile("(?im)^(?:tags?|标签)\\s*[:：][ \\t]*(.*)$");
  private static final Pattern BETWEEN = Pattern.compile("[,，;；]");

  /**
   * The notes of a run; none where there is no such file.
   *
   * @throws DuokaException when it cannot be read, or is no ordinary file of the run's folder
   */
  public static RunNotes of(Path run) {
    return of(new RunFiles(run));
  }

  static RunNotes of(RunFiles files) {
    return new RunNotes(
        new String(files.bytes(files.folder().resolve(NAME), MOST_BYTES), StandardCharsets.UTF_8));
  }

  /** All of it as it can be shown: nothing in it is obeyed. */
  public String shown() {
    return RedactedText.of(text);
  }

  /** The tags, as they can be shown, in the order in which they were written. */
  public List<String> tags() {
    Set<String> tags = new LinkedHashSet<>();
    Matcher lines = LINE.matcher(text);
    while (lines.find()) {
      addAll(tags, BETWEEN.split(lines.group(1)));
    }
    return tags.stream().limit(MOST_TAGS).toList();
  }

  /** For programs: the tags, and all of it as it can be shown. */
  public ObjectNode json() {
    ObjectNode json = Json.object();
    tags().forEach(json.putArray("tags")::add);
    json.put("text", shown());
    return json;
  }

  private static void addAll(Set<String> tags, String[] words) {
    Arrays.stream(words)
        .map(word -> RedactedText.line(word.strip()))
        .filter(word -> !word.isEmpty() && word.length() <= LONGEST_TAG)
        .forEach(tags::add);
  }

  /**
   * These notes and more.
   *
   * @param newTags to have too
   * @param line to have at the end; empty for none
   */
  public RunNotes with(List<String> newTags, String line) {
    Set<String> tags = new LinkedHashSet<>(tags());
    newTags.forEach(tag -> addAll(tags, BETWEEN.split(tag)));
    String others =
        text.lines()
            .filter(each -> !LINE.matcher(each).matches())
            .collect(Collectors.joining("\n"))
            .strip();
    String begin = tags.isEmpty() ? "" : "tags: " + String.join(", ", tags) + "\n\n";
    String end = line.isBlank() ? "" : (others.isEmpty() ? "" : "\n\n") + line.strip();
    return new RunNotes((begin + others + end).strip() + "\n");
  }

  /**
   * Writes them, whole or not at all.
   *
   * @throws DuokaException when they cannot be written, or are too long
   */
  public void write(Path run) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Path file = new RunFiles(run).folder().resolve(NAME);
    if (bytes.length > MOST_BYTES) {
      throw new DuokaException(
          ErrorCode.USAGE,
          file + " would have " + bytes.length + " bytes",
          "Notes have " + MOST_BYTES + " at most; put the rest into another file");
    }
    try {
      CrashSafeFiles.write(file, bytes);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write " + file + ": " + IoReason.of(e),
          "Check the disk, and who owns the folder",
          e);
    }
  }
}
