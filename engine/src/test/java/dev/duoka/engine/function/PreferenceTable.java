package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** The loss of pairs in small, odd sizes: two pairs of three tokens, and one that fills up. */
final class PreferenceTable {
  private static final long NONE = TokenCrossEntropy.IGNORED;
  private static final long[] TARGETS = {
    NONE, 3, 8, NONE, 0, NONE, 5, 1, 7, NONE, NONE, 2, NONE, NONE, NONE, NONE, NONE, NONE
  };
  private static final double[] REFERENCES = {-4.0, -2.5, -6.5, -3.0, 0, 0};

  private static final Function<Bench, OutputProjection> TRAINED =
      bench -> new OutputProjection(bench.parameter("w", 9, 4));
  private static final Function<Bench, OutputProjection> FROZEN =
      bench -> new OutputProjection(bench.frozen("w", 9, 4));

  private PreferenceTable() {}

  static List<FunctionCase> cases() {
    List<FunctionCase> cases = new ArrayList<>();
    for (long rowsPerChunk : new long[] {1, 4, 100}) {
      cases.add(
          of(
              "preference loss in chunks of " + rowsPerChunk,
              TRAINED,
              rowsPerChunk,
              new PreferenceLoss.Terms(0.7, 0, 0)));
    }
    cases.add(of("preference loss, smoothed", TRAINED, 100, new PreferenceLoss.Terms(1.3, 0.2, 0)));
    cases.add(
        of(
            "preference loss beside the chosen",
            TRAINED,
            100,
            new PreferenceLoss.Terms(0.1, 0, 0.6)));
    cases.add(
        of("preference loss of a frozen head", FROZEN, 4, new PreferenceLoss.Terms(0.7, 0.1, 0.6)));
    cases.add(
        of(
            "preference loss of a head with an adapter",
            bench -> LoraTable.head(bench, 9, 4, 0.6, false),
            4,
            new PreferenceLoss.Terms(0.7, 0.1, 0.6)));
    return cases;
  }

  private static FunctionCase of(
      String name,
      Function<Bench, OutputProjection> head,
      long rowsPerChunk,
      PreferenceLoss.Terms terms) {
    return new FunctionCase(
        name,
        bench -> {
          OutputProjection projection = head.apply(bench);
          Tensor targets = HostCopy.fromLongs(TARGETS, bench.random().device(), TARGETS.length);
          Tensor references =
              HostCopy.fromDoubles(
                  REFERENCES, Dtype.FLOAT64, bench.random().device(), REFERENCES.length);
          bench.input(bench.random().coarse(TARGETS.length, 4));
          bench.withGradientScale(0.375);
          PreferenceLoss.Pairs pairs =
              new PreferenceLoss.Pairs(targets, references, UnaryOperator.identity());
          bench.computing(
              (tape, in) -> {
                PreferenceLoss loss =
                    new PreferenceLoss(
                        new WholeVocabulary(projection, rowsPerChunk * 4 * 9), pairs, terms, 0.375);
                return new Variable[] {tape.applyAll(loss, in[0])[0]};
              });
        });
  }
}
