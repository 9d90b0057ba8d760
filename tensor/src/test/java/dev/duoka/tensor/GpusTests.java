package dev.duoka.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class GpusTests {
  @Test
  void saysWhoseMemoryItIs() {
    assertThat(Gpus.inUse(Optional.of(5L), 70L)).isEqualTo(new Gpus.MemoryInUse(5, false));
    assertThat(Gpus.inUse(Optional.empty(), 70L)).isEqualTo(new Gpus.MemoryInUse(70, true));
  }
}
