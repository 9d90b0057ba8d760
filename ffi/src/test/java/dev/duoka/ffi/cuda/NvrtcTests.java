package dev.duoka.ffi.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.ffi.library.Presence;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The real compiler, where there is one: it needs no GPU. */
class NvrtcTests {
  private static final String ADD =
      "extern \"C\" __global__ void add(const float *a, const float *b, float *c, long n) {"
          + " long i = blockIdx.x * (long)blockDim.x + threadIdx.x;"
          + " if (i < n) c[i] = a[i] + b[i]; }";

  private Nvrtc nvrtc;

  @BeforeEach
  void findTheCompiler() {
    nvrtc =
        switch (Nvrtc.find()) {
          case Presence.Present<Nvrtc>(Nvrtc found) -> found;
          case Presence.Absent<Nvrtc>(String reason, String remedy) -> {
            assertThat(reason).contains("libnvrtc");
            assertThat(remedy).contains(Nvrtc.PROPERTY);
            yield Assumptions.abort("no NVRTC here: " + reason);
          }
        };
  }

  @Test
  void compilesToMachineCode() {
    byte[] code = nvrtc.compile(new KernelSource("add.cu", ADD, List.of()), "sm_90a");
    assertThat(code).startsWith(0x7f, 'E', 'L', 'F').hasSizeGreaterThan(500);
    assertThat(nvrtc.version().major()).isGreaterThanOrEqualTo(12);
    assertThat(nvrtc.architectures()).contains(90);
  }

  @Test
  void anErrorInTheProgramComesWithTheCompilersMessages() {
    KernelSource wrong = new KernelSource("wrong.cu", "int f() {\n  return x;\n}", List.of());
    assertThatThrownBy(() -> nvrtc.compile(wrong, "sm_90"))
        .hasMessageContaining("wrong.cu(2): error: identifier \"x\" is undefined")
        .hasMessageContaining("--gpu-architecture=sm_90");
  }

  @Test
  void anUnknownArchitectureIsAnError() {
    KernelSource source = new KernelSource("add.cu", ADD, List.of());
    assertThatThrownBy(() -> nvrtc.compile(source, "sm_1")).hasMessageContaining("sm_1");
  }
}
