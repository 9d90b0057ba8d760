package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is gathered holds no numbers until its gather is joined. */
class LateGathersTests {
  private static final AtomicInteger UNJOINED = new AtomicInteger();

  private static Communicator late(Communicator real) {
    return (Communicator)
        Proxy.newProxyInstance(
            Communicator.class.getClassLoader(),
            new Class<?>[] {Communicator.class},
            (_, method, arguments) -> {
              try {
                if (method.getName().equals("allGather") && real.size() > 1) {
                  Tensor full = (Tensor) arguments[1];
                  if (full.dtype().name().startsWith("FLOAT")) {
                    return gather(real, (Tensor) arguments[0], full);
                  }
                }
                Object result = method.invoke(real, arguments);
                return method.getReturnType() == Communicator.class
                    ? late((Communicator) result)
                    : result;
              } catch (InvocationTargetException e) {
                throw Objects.requireNonNull(e.getCause());
              }
            });
  }

  private static Pending gather(Communicator real, Tensor shard, Tensor full) {
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      Tensor kept = Scope.detach(Tensors.empty(full.dtype(), full.device(), full.shape()));
      real.allGather(shard, kept).join();
      Tensor flat = Views.reshape(full, -1);
      long part = shard.elements();
      for (int other = 0; other < real.size(); other++) {
        if (other != real.rank()) {
          Tensor place = Views.narrow(flat, 0, other * part, part);
          Copies.into(place, Tensors.full(Double.NaN, full.dtype(), full.device(), part));
        }
      }
      Tensor target = Scope.detach(full.share());
      UNJOINED.incrementAndGet();
      return new Pending() {
        private boolean joined;

        @Override
        public void join() {
          if (!joined) {
            joined = true;
            UNJOINED.decrementAndGet();
            Copies.into(target, kept);
            kept.close();
            target.close();
          }
        }

        @Override
        public boolean isDone() {
          return joined;
        }

        @Override
        public @Nullable Throwable failure() {
          return real.failure();
        }
      };
    }
  }

  @ParameterizedTest
  @CsvSource({
    "dense, 2, 1, 1, 1, 1, 1, NONE, ONE_F_ONE_B, 1",
    "dense, 2, 1, 1, 1, 1, 2, FULL, ONE_F_ONE_B, 1",
    "dense, 2, 1, 2, 1, 1, 1, NONE, INTERLEAVED, 2",
    "dense, 2, 1, 2, 1, 1, 2, SELECTIVE, ZERO_BUBBLE, 1",
    "dense tied, 2, 1, 2, 1, 1, 1, NONE, ONE_F_ONE_B, 1",
    "dense, 2, 2, 1, 1, 1, 1, SELECTIVE, ONE_F_ONE_B, 1",
    "v3 mtp, 2, 1, 1, 1, 2, 1, NONE, ONE_F_ONE_B, 1",
    "v3 mtp, 4, 1, 1, 1, 2, 2, FULL, ONE_F_ONE_B, 1",
    "v2, 1, 1, 1, 2, 1, 1, NONE, ONE_F_ONE_B, 1",
  })
  void nobodyReadsWhatIsNotThere(
      String model,
      int data,
      int tensor,
      int pipeline,
      int context,
      int expert,
      int zero,
      Recompute recompute,
      PipelineKind kind,
      int stages) {
    Trial trial =
        new Trial(
            Draw.model(model, 4, 2),
            new Mesh(pipeline, 1, data, context, tensor, expert),
            new PipelineSettings(kind, stages, List.of()),
            recompute,
            zero,
            24,
            2,
            4,
            4);
    UNJOINED.set(0);
    Training.Outcome late = trial.runOn(LateGathersTests::late);
    assertThat(Equality.FP64.differences(late, trial.run())).isEmpty();
    assertThat(UNJOINED.get()).as("gathers that nobody joined when all is closed").isZero();
  }
}
