package dev.duoka.train.config;

import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the ranks run: {@code auto}, {@code cpu}, {@code cuda}, or one GPU such as {@code cuda:0}.
 *
 * @param kind the kind of device
 * @param index the GPU's index; empty means rank {@code r} takes GPU {@code r}
 */
public record DeviceChoice(Kind kind, OptionalInt index) {
  private static final Pattern SYNTAX = Pattern.compile("auto|cpu|cuda(?::(\\d{1,3}))?");

  /** The kinds of device that a run file can name. */
  public enum Kind {
    /** CUDA if a usable GPU is there, else the CPU; the run says which and why. */
    AUTO,
    /** The CPU. */
    CPU,
    /** A CUDA GPU; it is an error if there is none. */
    CUDA
  }

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException if the text is none of the forms above
   */
  public static DeviceChoice parse(String text) {
    Matcher matcher = SYNTAX.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("one of auto, cpu, cuda, or a GPU such as cuda:0");
    }
    if (text.equals("auto")) {
      return new DeviceChoice(Kind.AUTO, OptionalInt.empty());
    }
    if (text.equals("cpu")) {
      return new DeviceChoice(Kind.CPU, OptionalInt.empty());
    }
    String index = matcher.group(1);
    return new DeviceChoice(
        Kind.CUDA, index == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(index)));
  }

  /** The text form that {@link #parse} reads. */
  @Override
  public String toString() {
    return switch (kind) {
      case AUTO -> "auto";
      case CPU -> "cpu";
      case CUDA -> index.isPresent() ? "cuda:" + index.getAsInt() : "cuda";
    };
  }
}
