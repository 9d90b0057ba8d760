package dev.duoka.train.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class SettingsTests {
  @Test
  void lengthsBecomeSteps() {
    assertThat(new TrainingLength.Steps(300).steps(8192, 1_000_000)).isEqualTo(300);
    assertThat(new TrainingLength.Tokens(8193).steps(8192, 1_000_000)).isEqualTo(2);
    assertThat(new TrainingLength.Epochs(0.5).steps(100, 1000)).isEqualTo(5);
    assertThat(new TrainingLength.Epochs(1.01).steps(100, 1000)).isEqualTo(11);
    assertThat(new TrainingLength.Epochs(0.001).steps(100, 1000)).isEqualTo(1);
  }

  @Test
  void devicesReadBackFromTheirText() {
    for (String text : List.of("auto", "cpu", "cuda", "cuda:0", "cuda:15")) {
      assertThat(DeviceChoice.parse(text)).hasToString(text);
    }
    assertThat(DeviceChoice.parse("cuda:3").index()).isEqualTo(OptionalInt.of(3));
    assertThat(DeviceChoice.parse("cuda:0,2,1,3").gpus()).containsExactly(0, 2, 1, 3);
    assertThat(DeviceChoice.parse("cuda:0,2").index()).isEmpty();
    assertThat(DeviceChoice.parse("cuda:0,2,1,3")).hasToString("cuda:0,2,1,3");
    assertThatThrownBy(() -> DeviceChoice.parse("cuda:0,0")).hasMessageContaining("named once");
    assertThatThrownBy(() -> DeviceChoice.parse("cuda:")).hasMessageContaining("cuda:0");
  }

  @Test
  void aRunIsLaidOutAsItsFileSays() {
    assertThat(RunFile.parse("run.yaml", RunFileTests.FULL, List.of()).layout())
        .isEqualTo(
            new Layout(
                2,
                1,
                1,
                1,
                1,
                1,
                8,
                2,
                Recompute.SELECTIVE,
                Offload.NONE,
                LossKind.CHUNKED,
                Precision.FP16,
                Method.FULL));
  }

  @Test
  void threadsAreSharedBetweenRanks() {
    RunConfig two = RunFile.parse("run.yaml", RunFileDocs.EXAMPLE, List.of("parallel.data=2"));
    assertThat(two.threadsPerRank(7)).isEqualTo(3);
    assertThat(two.threadsPerRank(1)).isEqualTo(1);
    assertThat(two.threadsPerRank(7, 1)).isEqualTo(7); // of two machines
    RunConfig set =
        RunFile.parse("run.yaml", RunFileDocs.EXAMPLE, List.of("parallel.data=2", "threads=5"));
    assertThat(set.threadsPerRank(7)).isEqualTo(5);
  }

  @Test
  void theCacheFollowsTheEnvironment() {
    DataSettings data = RunFile.parse("run.yaml", RunFileDocs.EXAMPLE, List.of()).data();
    assertThat(data.cacheFolder(Map.of("XDG_CACHE_HOME", "/big")::get))
        .isEqualTo(Path.of("/big/duoka/data"));
    assertThat(data.cacheFolder(Map.of("HOME", "/home/of/mine")::get))
        .isEqualTo(Path.of("/home/of/mine/.cache/duoka/data"));
  }
}
