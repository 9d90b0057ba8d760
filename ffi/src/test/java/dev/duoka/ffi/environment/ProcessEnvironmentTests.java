package dev.duoka.ffi.environment;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ProcessEnvironmentTests {
  @Test
  void nativeCodeFindsWhatIsSet() {
    assertThat(ProcessEnvironment.has("DUOKA_SET_BY_A_TEST")).isFalse();
    ProcessEnvironment.set("DUOKA_SET_BY_A_TEST", "1");
    assertThat(ProcessEnvironment.has("DUOKA_SET_BY_A_TEST")).isTrue();
    assertThat(ProcessEnvironment.has("PATH")).as("of the shell").isTrue();
  }
}
