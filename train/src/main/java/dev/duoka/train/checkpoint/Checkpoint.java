package dev.duoka.train.checkpoint;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A checkpoint's folder; whether it is complete is for {@link CheckpointStore} to say.
 *
 * @param folder named {@code step-00000100}
 * @param step training steps done when it was taken
 */
public record Checkpoint(Path folder, long step) {
  private static final Pattern NAME = Pattern.compile("step-(\\d{8,18})");

  /** The checkpoint whose folder this is by its name; empty for any other name. */
  static Optional<Checkpoint> at(Path folder) {
    Path name = folder.getFileName();
    Matcher matcher = NAME.matcher(name == null ? "" : name.toString());
    return matcher.matches()
        ? Optional.of(new Checkpoint(folder, Long.parseLong(matcher.group(1))))
        : Optional.empty();
  }

  /** The name of the folder of a step's checkpoint. */
  public static String name(long step) {
    return String.format(Locale.ROOT, "step-%08d", step);
  }
}
