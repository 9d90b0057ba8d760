package dev.duoka.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class GpusTests {
  @Test
  void theFolderOfOurOwnNativesIsNotNamed() {
    Path natives = Path.of("/home/me/.cache/duoka/natives");
    assertThat(
            Gpus.withoutCache(
                "LibTorch 2.10.0 in " + natives + "/75117dc1 (Maven natives) is a CPU build",
                natives))
        .isEqualTo("LibTorch 2.10.0 (Maven natives) is a CPU build");
    String other = "LibTorch 2.10.0 in /opt/torch/lib (DUOKA_LIBTORCH) is a CPU build";
    assertThat(Gpus.withoutCache(other, natives)).isEqualTo(other);
  }

  @Test
  void saysWhoseMemoryItIs() {
    assertThat(Gpus.inUse(Optional.of(5L), 70L)).isEqualTo(new Gpus.MemoryInUse(5, false));
    assertThat(Gpus.inUse(Optional.empty(), 70L)).isEqualTo(new Gpus.MemoryInUse(70, true));
  }
}
