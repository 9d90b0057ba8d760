package dev.duoka.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.SingleRank;
import dev.duoka.layout.Precision;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** States of a GPU leave beside what it does next, and no update changes what has not left. */
@Tag("cuda")
class CudaSnapshotTests {
  private static final Device DEVICE = Device.cuda(0);
  private static final int PRODUCTS = 300;

  @TempDir Path run;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aSaveKeepsTheStateOfItsStepWhileTheNextOneRuns(boolean ahead) {
    List<CheckpointEvent> events = new ArrayList<>();
    try (CheckpointWriter writer =
            new CheckpointWriter(
                run, TokenizerFiles.of("bytes"), new RetentionPolicy(3, 0), events::add);
        TestRank rank =
            TestRank.create(TestRank.config(), new SingleRank(), 0, Precision.BF16, DEVICE);
        Scope _ = Scope.open()) {
      if (ahead) {
        writer.prepareAhead(new SingleRank(), rank.model());
      }
      rank.model().parameters().resetGradients();
      rank.optimizer().launch(0.1, 1).await(); // loads the kernels
      Tensor busy = Tensors.full(0.01, Dtype.BFLOAT16, DEVICE, 8192, 8192);
      Products.mm(busy, busy);
      for (long step = 1; step <= 3; step++) {
        rank.fill(step);
        for (int i = 0; i < PRODUCTS; i++) {
          try (Scope _ = Scope.open()) {
            Products.mm(busy, busy);
          }
        }
        writer.save(new SingleRank(), rank.model(), rank.optimizer(), TestRank.state(step));
        rank.model().parameters().resetGradients();
        rank.optimizer().launch(0.5, 1); // decays weights and moments
        writer.await();
        assertThat(rank.difference(step)).contains("master weights", "first moments");
        Checkpoint saved = writer.lastSaved().orElseThrow();
        try (CheckpointReader reader = CheckpointReader.open(saved)) {
          reader.restore(rank.model(), rank.optimizer());
          rank.optimizer().restoreSteps(reader.state().optimizerSteps());
        }
        assertThat(rank.difference(step)).isEmpty();
      }
    }
    assertThat(events).allMatch(event -> event instanceof CheckpointEvent.Saved);
  }
}
