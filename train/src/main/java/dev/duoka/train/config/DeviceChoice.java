package dev.duoka.train.config;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Where the ranks run: {@code auto}, {@code cpu}, {@code cuda}, one GPU such as {@code cuda:0}, or
 * the GPUs of a machine's ranks in their order, such as {@code cuda:0,2,1,3}.
 *
 * @param kind the kind of device
 * @param gpus CUDA's numbers: none where the topology decides, one that all ranks share, or one for
 *     each rank of a machine
 */
public record DeviceChoice(Kind kind, List<Integer> gpus) {
  private static final Pattern SYNTAX =
      Pattern.compile("auto|cpu|cuda(?::(\\d{1,3}(?:,\\d{1,3})*))?");

  public DeviceChoice {
    gpus = List.copyOf(gpus);
  }

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
      throw new IllegalArgumentException(
          "one of auto, cpu, cuda, a GPU such as cuda:0, or one for each rank such as"
              + " cuda:0,2,1,3");
    }
    if (text.equals("auto")) {
      return new DeviceChoice(Kind.AUTO, List.of());
    }
    if (text.equals("cpu")) {
      return new DeviceChoice(Kind.CPU, List.of());
    }
    List<Integer> gpus =
        matcher.group(1) == null
            ? List.of()
            : Arrays.stream(matcher.group(1).split(",")).map(Integer::valueOf).toList();
    if (new HashSet<>(gpus).size() < gpus.size()) {
      throw new IllegalArgumentException("GPUs of which each is named once");
    }
    return new DeviceChoice(Kind.CUDA, gpus);
  }

  /** The one GPU that all ranks share; empty where each has its own. */
  public OptionalInt index() {
    return gpus.size() == 1 ? OptionalInt.of(gpus.getFirst()) : OptionalInt.empty();
  }

  /** The text form that {@link #parse} reads. */
  @Override
  public String toString() {
    return switch (kind) {
      case AUTO -> "auto";
      case CPU -> "cpu";
      case CUDA ->
          gpus.isEmpty()
              ? "cuda"
              : "cuda:" + gpus.stream().map(String::valueOf).collect(Collectors.joining(","));
    };
  }
}
