package dev.duoka.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.ffi.environment.ProcessEnvironment;
import org.junit.jupiter.api.Test;

final class LibraryEnvironmentTests {
  /** Which native code reads: this LibTorch is loaded already, or has no card. */
  @Test
  void segmentsAreToGrowUnlessTheUserSaysHow() {
    LibraryEnvironment.letSegmentsGrow();
    assertThat(ProcessEnvironment.has("PYTORCH_CUDA_ALLOC_CONF")).isTrue();
  }
}
