package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The loss of pairs against the formula written out number by number. */
class PreferenceLossTests {
  private static final int VOCABULARY = 9;
  private static final int WIDTH = 4;
  private static final int LENGTH = 5;
  private static final long NONE = TokenCrossEntropy.IGNORED;
  private static final long[] TARGETS = {
    NONE, 3, 8, 1, NONE, NONE, 0, NONE, NONE, NONE, 5, 1, 7, 0, 2, NONE, NONE, NONE, NONE, 2
  };
  private static final double[] REFERENCES = {-4.0, -2.5, -6.5, -3.0};
  private static final PreferenceLoss.Terms TERMS = new PreferenceLoss.Terms(0.3, 0.1, 0.5);

  private record Outputs(double loss, double[] figures, double[] logProbabilities) {}

  private static Outputs run(
      Inputs random,
      Tensor hidden,
      Parameter weight,
      double[] references,
      PreferenceLoss.Terms terms) {
    Tensor ofReference =
        HostCopy.fromDoubles(references, Dtype.FLOAT64, random.device(), references.length);
    Tensor targets = HostCopy.fromLongs(TARGETS, random.device(), TARGETS.length);
    try (Tape tape = Tape.inference()) {
      Variable[] outputs =
          tape.applyAll(
              new PreferenceLoss(
                  new OutputProjection(weight),
                  new PreferenceLoss.Pairs(targets, ofReference, UnaryOperator.identity()),
                  terms,
                  1),
              Variable.constant(hidden));
      return new Outputs(
          HostCopy.item(outputs[0].value()),
          HostCopy.doubles(outputs[1].value()),
          HostCopy.doubles(outputs[2].value()));
    }
  }

  @Test
  void isTheFormulaWrittenOut() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Bench bench = new Bench(new Inputs(7, Dtype.FLOAT64, TestDevice.current()))) {
      Tensor hidden = bench.random().coarse(TARGETS.length, WIDTH);
      Parameter weight = bench.parameter("w", VOCABULARY, WIDTH);
      Outputs outputs = run(bench.random(), hidden, weight, REFERENCES, TERMS);

      double[] states = HostCopy.doubles(hidden);
      double[] head = HostCopy.doubles(weight.value());
      double[] log = new double[REFERENCES.length];
      int[] counts = new int[REFERENCES.length];
      for (int row = 0; row < TARGETS.length; row++) {
        if (TARGETS[row] != NONE) {
          log[row / LENGTH] += logProbability(states, head, row, (int) TARGETS[row]);
          counts[row / LENGTH]++;
        }
      }
      double loss = 0;
      double[] figures = new double[PreferenceLoss.FIGURES];
      for (int chosen = 0; chosen < REFERENCES.length; chosen += 2) {
        int rejected = chosen + 1;
        double ofChosen = TERMS.beta() * (log[chosen] - REFERENCES[chosen]);
        double ofRejected = TERMS.beta() * (log[rejected] - REFERENCES[rejected]);
        double z = ofChosen - ofRejected;
        double own = -log[chosen] / counts[chosen];
        loss +=
            -0.9 * Math.log(1 / (1 + Math.exp(-z)))
                - 0.1 * Math.log(1 / (1 + Math.exp(z)))
                + 0.5 * own;
        figures[0] += ofChosen;
        figures[1] += ofRejected;
        figures[2] += z > 0 ? 1 : 0;
        figures[3] += own;
      }
      assertThat(outputs.loss()).isCloseTo(loss, within(1e-12));
      assertThat(outputs.figures()).containsExactly(figures, within(1e-12));
      assertThat(outputs.logProbabilities()).containsExactly(log, within(1e-12));
    }
  }

  private static double logProbability(double[] states, double[] head, int row, int target) {
    double[] logits = new double[VOCABULARY];
    for (int token = 0; token < VOCABULARY; token++) {
      for (int i = 0; i < WIDTH; i++) {
        logits[token] += states[row * WIDTH + i] * head[token * WIDTH + i];
      }
    }
    return logits[target] - Math.log(Arrays.stream(logits).map(Math::exp).sum());
  }

  /** A model that is its own reference prefers nothing, whatever it says. */
  @Test
  void startsAtLogarithmOfTwo() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Bench bench = new Bench(new Inputs(8, Dtype.FLOAT32, TestDevice.current()))) {
      Tensor hidden = bench.random().coarse(TARGETS.length, WIDTH);
      Parameter weight = bench.parameter("w", VOCABULARY, WIDTH);
      PreferenceLoss.Terms terms = new PreferenceLoss.Terms(0.1, 0, 0);
      double[] own = run(bench.random(), hidden, weight, REFERENCES, terms).logProbabilities();
      Outputs outputs = run(bench.random(), hidden, weight, own, terms);
      assertThat(outputs.loss()).isCloseTo(2 * Math.log(2), within(1e-6));
      assertThat(outputs.figures()[0]).isZero();
      assertThat(outputs.figures()[2]).isZero();
    }
  }

  /** Neither end of the sigmoid overflows. */
  @Test
  void staysANumberHoweverFarApart() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Bench bench = new Bench(new Inputs(9, Dtype.FLOAT32, TestDevice.current()))) {
      Tensor hidden = bench.random().coarse(TARGETS.length, WIDTH);
      Parameter weight = bench.parameter("w", VOCABULARY, WIDTH);
      double[] far = {-1e6, 1e6, 1e6, -1e6};
      Outputs outputs = run(bench.random(), hidden, weight, far, new PreferenceLoss.Terms(1, 0, 0));
      assertThat(outputs.loss()).isBetween(1.9e6, 2.1e6);
    }
  }
}
