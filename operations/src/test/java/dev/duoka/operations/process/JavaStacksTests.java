package dev.duoka.operations.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class JavaStacksTests {
  /** A thread that does not wake up. */
  public static void main(String[] arguments) throws InterruptedException {
    Thread.ofPlatform()
        .name("rank-3")
        .start(
            () -> {
              try {
                System.out.println("ready");
                Thread.sleep(1_000_000);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            })
        .join();
  }

  @Test
  void threadsOfAnotherJvmAreShown() throws IOException {
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                String.join(
                    File.pathSeparator,
                    System.getProperty("jdk.module.path", ""),
                    System.getProperty("java.class.path", ""),
                    classes()),
                JavaStacksTests.class.getName())
            .start();
    try {
      assertThat(jvm.inputReader().readLine()).isEqualTo("ready");
      ProcessIdentity identity = ProcessIdentity.of(jvm.pid()).orElseThrow();
      List<String> frames =
          Objects.requireNonNull(JavaStacks.of(identity).orElseThrow().threads().get("rank-3"));
      assertThat(frames.getFirst()).startsWith("java.lang.Thread.sleep");
      assertThat(KernelWait.of(jvm.pid(), "rank-3").orElseThrow().state()).isEqualTo('S');
    } finally {
      jvm.destroyForcibly();
    }
  }

  /** Where this class was loaded from: patched into its module it is on no path. */
  private static String classes() {
    return Path.of(
            JavaStacksTests.class.getProtectionDomain().getCodeSource().getLocation().getPath())
        .toString();
  }

  /** It would end by the signal that a JVM is asked with. */
  @Test
  void otherProgramsAreLeftAlone() throws IOException {
    Process sleep = new ProcessBuilder(List.of("sleep", "100")).start();
    try {
      assertThat(JavaStacks.of(ProcessIdentity.of(sleep.pid()).orElseThrow())).isEmpty();
      assertThat(sleep.isAlive()).isTrue();
    } finally {
      sleep.destroyForcibly();
    }
  }
}
