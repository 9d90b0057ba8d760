package dev.duoka.engine.optimizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.layout.GradientForm;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.StateForm;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.ElementRuns;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import java.util.List;
import org.junit.jupiter.api.Test;

class AdamWTests {
  /** More than are made whole at once. */
  private static final int LENGTH = (1 << 22) + 384;

  private static final AdamWSettings SETTINGS = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 0);
  private static final int STEPS = 3;
  private static final double FACTOR = 0.5;

  /** The slow way, which LibTorch's operators take, beside the loops of the host. */
  @Test
  void remaindersAreUpdatedByOperatorsAsByTheHost() {
    double[][] byHost = train(false);
    double[][] byOperators = train(true);
    Numbers.assertClose("weights", byOperators[0], byHost[0], 1e-6);
    Numbers.assertClose("first moments", byOperators[1], byHost[1], 1e-5);
    Numbers.assertClose("second moments", byOperators[2], byHost[2], 1e-5);
  }

  private static double[][] train(boolean byOperators) {
    try (Scope _ = Scope.open()) {
      Tensor values = new Inputs(5, Dtype.BFLOAT16, Device.CPU).coarse(LENGTH);
      Tensor gradients = new Inputs(6, Dtype.FLOAT32, Device.CPU).coarse(LENGTH);
      StateForm form = new StateForm(MomentForm.FP32, true, GradientForm.FP32);
      AdamW.States states = new AdamW.States(form, 1, new ElementRuns(List.of()));
      try (AdamW optimizer = new AdamW(values, gradients, SETTINGS, states)) {
        double[] before = HostCopy.doubles(optimizer.master().read());
        assertThat(before).isEqualTo(HostCopy.doubles(values));
        for (int step = 1; step <= STEPS; step++) {
          AdamW.Update update = new AdamW.Update(1e-3, step, 1);
          Tensor own = Elementwise.mul(gradients, 1.0); // operators scale them in place
          if (byOperators) {
            optimizer.updateWide(update, FACTOR, optimizer.part(0, LENGTH));
            Copies.into(gradients, own);
          } else {
            optimizer.update(update, FACTOR);
          }
        }
        double[] after = HostCopy.doubles(optimizer.master().read());
        assertThat(after).isNotEqualTo(before);
        return new double[][] {
          after,
          HostCopy.doubles(optimizer.firstMoment().values()),
          HostCopy.doubles(optimizer.secondMoment().values())
        };
      }
    }
  }
}
