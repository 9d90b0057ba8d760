package dev.duoka.train.placement;

import dev.duoka.parallel.mesh.MeshExchange;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Says in sentences why each rank is where it is. */
public final class Explanation {
  private final MeshPlacement placement;

  private Explanation(MeshPlacement placement) {
    this.placement = placement;
  }

  /** First how the order came about, then a sentence for each kind of group and for each rank. */
  public static List<String> of(MeshPlacement placement) {
    Explanation explanation = new Explanation(placement);
    List<String> sentences = new ArrayList<>();
    sentences.add(explanation.order());
    for (MeshExchange exchange : MeshExchange.values()) {
      List<PlacedGroup> groups =
          placement.groups().stream().filter(it -> it.exchange() == exchange).toList();
      if (!groups.isEmpty()) {
        sentences.add(explanation.axis(exchange, groups));
      }
    }
    placement.seats().forEach(seat -> sentences.add(explanation.seat(seat)));
    return sentences;
  }

  private String order() {
    List<Integer> gpus =
        placement.seats().stream()
            .filter(seat -> seat.node() == 0 && seat.gpu().isPresent())
            .map(seat -> seat.gpu().getAsInt())
            .toList();
    boolean plain = gpus.equals(IntStream.range(0, gpus.size()).boxed().toList());
    return switch (placement.order()) {
      case CPU ->
          placement.processes() == 1
              ? "Ranks are threads of one process on the CPU: all are equally near."
              : "Ranks are threads of processes on the CPU, and those of one process are nearer.";
      case SHARED -> "The run file puts all ranks on one GPU.";
      case NAMED -> "The run file names the GPUs of the ranks, in order: " + text(gpus) + ".";
      case LINKS ->
          placement.mesh().size() == 1
              ? "One rank takes the first GPU."
              : "Ranks that need fast links most choose first: "
                  + axes()
                  + ". "
                  + (plain
                      ? "No order of the GPUs is better than their own."
                      : "So the ranks take the GPUs in the order " + text(gpus) + ".");
      case PLAIN -> "Nothing tells how the GPUs are linked, so ranks take them in their order.";
      case ASSUMED -> "This machine has no GPUs, and of another nothing is known.";
      case MISSING -> "The ranks are not placed.";
    };
  }

  private String axes() {
    return placement.groups().stream()
        .map(group -> group.exchange().axis())
        .distinct()
        .collect(Collectors.joining(", then "));
  }

  private String axis(MeshExchange exchange, List<PlacedGroup> groups) {
    Way slowest =
        groups.stream().map(PlacedGroup::slowest).max(Way.BY_SLOWNESS).orElse(Way.UNKNOWN);
    Way fastest =
        groups.stream().map(PlacedGroup::slowest).min(Way.BY_SLOWNESS).orElse(Way.UNKNOWN);
    String ways =
        fastest.toString().equals(slowest.toString())
            ? slowest.toString()
            : fastest + "; in other groups " + slowest;
    return capital(exchange.axis())
        + " ranks "
        + exchange.work()
        + ": they do it over "
        + ways
        + ".";
  }

  private String seat(Seat seat) {
    String where =
        seat.gpu().isPresent()
            ? "GPU " + seat.gpu().getAsInt() + seat.card().map(name -> " (" + name + ")").orElse("")
            : placement.order() == MeshPlacement.Order.CPU ? "a thread" : "no GPU";
    String with =
        placement.groups().stream()
            .filter(group -> group.ranks().contains(seat.rank()))
            .map(group -> with(group, seat.rank()))
            .collect(Collectors.joining(", "));
    return "Rank "
        + seat.rank()
        + ", "
        + where
        + (placement.processes() > 1 ? " of process " + seat.process() : "")
        + (with.isEmpty() ? "" : ": " + with)
        + ".";
  }

  private String with(PlacedGroup group, int rank) {
    List<Integer> others =
        group.exchange().isChain()
            ? group.ranks().stream().filter(it -> isNext(group.ranks(), it, rank)).toList()
            : group.ranks().stream().filter(it -> it != rank).toList();
    Way slowest =
        others.stream()
            .map(other -> placement.between(rank, other))
            .max(Way.BY_SLOWNESS)
            .orElse(Way.UNKNOWN);
    return group.exchange().axis()
        + " with "
        + others.stream().map(String::valueOf).collect(Collectors.joining(", "))
        + " over "
        + slowest.label()
        + slowest.rate().map(rate -> " (" + rate.text() + " GB/s)").orElse("");
  }

  private static boolean isNext(List<Integer> chain, int other, int rank) {
    return Math.abs(chain.indexOf(other) - chain.indexOf(rank)) == 1;
  }

  private static String text(List<Integer> gpus) {
    return gpus.stream().map(String::valueOf).collect(Collectors.joining(", "));
  }

  private static String capital(String word) {
    return Character.toUpperCase(word.charAt(0)) + word.substring(1);
  }
}
