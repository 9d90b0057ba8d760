package dev.duoka.measure.step;

import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.parallel.mesh.Mesh;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import tools.jackson.databind.node.ObjectNode;

/**
 * How unevenly the tokens of a step were spread over the experts of a model. What a mixture of
 * experts takes depends on it: two times of a step can be compared only beside it.
 *
 * @param meanTokens that an expert gets in a step, those of all ranks
 * @param expertRanks over how many ranks the experts are spread
 * @param mixtures in the order of the layers
 */
public record ExpertLoad(double meanTokens, int expertRanks, List<Mixture> mixtures) {
  /** The name of the field in a report. */
  public static final String FIELD = "expert_load";

  /**
   * The load of one layer.
   *
   * @param expert tokens of its busiest expert as a multiple of the mean
   * @param rank tokens of the busiest rank of a group over which experts are spread, as a multiple
   *     of an equal share; 1 where they are not spread
   */
  public record Mixture(double expert, double rank) {}

  /**
   * Of the ranks of a mesh, in their order; empty for a model without experts.
   *
   * @param counts how many of a rank's tokens each expert got, by the mixtures that the rank holds
   */
  static Optional<ExpertLoad> of(MeshStepJob job, List<List<long[]>> counts) {
    MoeConfig moe = job.step().model().moe();
    if (moe == null) {
      return Optional.empty();
    }
    double mean = (double) job.tokens() * moe.expertsPerToken() / moe.routedExperts();
    return Optional.of(new ExpertLoad(mean, job.mesh().expert(), mixtures(job.mesh(), counts)));
  }

  /** Stage by stage: all ranks of one hold the same layers. */
  static List<Mixture> mixtures(Mesh mesh, List<List<long[]>> counts) {
    List<Mixture> mixtures = new ArrayList<>();
    int perStage = mesh.size() / mesh.pipeline();
    for (int first = 0; first < mesh.size(); first += perStage) {
      List<List<long[]>> stage = counts.subList(first, first + perStage);
      for (int i = 0; i < stage.getFirst().size(); i++) {
        int layer = i;
        mixtures.add(mixture(stage.stream().map(rank -> rank.get(layer)).toList(), mesh.expert()));
      }
    }
    return List.copyOf(mixtures);
  }

  /** Neighbouring ranks share one copy of the experts, each neighbouring ones of these. */
  private static Mixture mixture(List<long[]> ranks, int expertRanks) {
    double busiest = 1;
    for (int first = 0; expertRanks > 1 && first < ranks.size(); first += expertRanks) {
      long[] group = sum(ranks.subList(first, first + expertRanks));
      int each = group.length / expertRanks;
      long[] parts =
          IntStream.range(0, expertRanks)
              .mapToLong(part -> Arrays.stream(group, part * each, (part + 1) * each).sum())
              .toArray();
      busiest = Math.max(busiest, largest(parts));
    }
    return new Mixture(largest(sum(ranks)), busiest);
  }

  private static long[] sum(List<long[]> counts) {
    return IntStream.range(0, counts.getFirst().length)
        .mapToLong(i -> counts.stream().mapToLong(it -> it[i]).sum())
        .toArray();
  }

  private static double largest(long[] tokens) {
    double mean = LongStream.of(tokens).average().orElse(0);
    return mean == 0 ? 1 : LongStream.of(tokens).max().orElse(0) / mean;
  }

  /** The busiest expert of all layers, as a multiple of the mean. */
  public double largest() {
    return most(Mixture::expert);
  }

  /** The busiest rank of all layers, as a multiple of an equal share. */
  public double busiestRank() {
    return most(Mixture::rank);
  }

  private double most(ToDoubleFunction<Mixture> load) {
    return mixtures.stream().mapToDouble(load).max().orElse(1);
  }

  private double meanOfLayers(ToDoubleFunction<Mixture> load) {
    return mixtures.stream().mapToDouble(load).average().orElse(1);
  }

  /** Adds the load to a report, rounded for people. */
  public void describe(ObjectNode report) {
    ObjectNode load = report.putObject(FIELD);
    load.put("mean_tokens", round(meanTokens));
    load.put("largest_tokens", round(meanTokens * largest()));
    load.put("largest_by_mean", round(largest()));
    load.put("largest_by_mean_mean_of_layers", round(meanOfLayers(Mixture::expert)));
    if (expertRanks > 1) {
      load.put("busiest_rank_by_share", round(busiestRank()));
      load.put("busiest_rank_by_share_mean_of_layers", round(meanOfLayers(Mixture::rank)));
    }
  }

  private static double round(double value) {
    return Math.round(value * 100) / 100.0;
  }

  /** For people, in one line. */
  public String text() {
    String experts =
        String.format(
            Locale.ROOT,
            "%.1f tokens an expert on average; largest %.1f, %.2f times that (%.2f in the mean of"
                + " layers)",
            meanTokens,
            meanTokens * largest(),
            largest(),
            meanOfLayers(Mixture::expert));
    return expertRanks == 1
        ? experts
        : experts
            + String.format(
                Locale.ROOT,
                "; the busiest of %d expert ranks %.2f times an equal share (%.2f)",
                expertRanks,
                busiestRank(),
                meanOfLayers(Mixture::rank));
  }
}
