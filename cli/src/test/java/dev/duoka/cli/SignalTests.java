package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** A training process is sent real signals. */
@Timeout(300)
final class SignalTests {
  @TempDir Path folder;
  private final List<Child> children = new ArrayList<>();

  @AfterEach
  void endChildren() throws InterruptedException {
    for (Child child : children) {
      child.process.destroyForcibly().waitFor();
    }
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 75"})
  void savesAndSaysHowToResume(String signal, int status) throws Exception {
    Child child = start();
    child.waitFor("step ");
    child.send(signal);
    assertThat(child.process.waitFor()).as(child.text()).isEqualTo(status);
    Path run = folder.resolve("run");
    String resume = "./duoka train " + run.resolve("run.yaml") + " --resume";
    assertThat(child.text()).contains("stopping", "Stopped after", resume);

    // It goes on from there, with the overrides of the first session.
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int again =
        run(
            out,
            err,
            "train",
            run.resolve("run.yaml").toString(),
            "--resume",
            "--no-watch",
            "--max-steps",
            "1");
    assertThat(again).as(err.toString()).isZero();
    assertThat(out.toString()).contains("Nothing to do: step ", " of 1 reached");
    assertThat(Files.readString(run.resolve("run.yaml"))).contains("learning_rate: 5.0E-4");
  }

  @Test
  void aSecondSignalEndsAtOnce() throws Exception {
    Child child = start("training.tokens_per_step=262144"); // a step of minutes
    child.waitFor("steps ");
    child.send("TERM");
    child.waitFor("stopping");
    child.send("INT");
    assertThat(child.process.waitFor()).as(child.text()).isEqualTo(130);
    assertThat(child.text()).contains("ended at once; the last checkpoint");
  }

  @Test
  void keepsASecondProcessOut() throws Exception {
    Child child = start();
    child.waitFor("step ");
    StringWriter err = new StringWriter();
    int status = run(new StringWriter(), err, arguments());
    assertThat(status).isEqualTo(1);
    assertThat(err.toString())
        .contains("is in use by process " + child.process.pid() + " since ", "--run-dir");
    child.process.destroyForcibly().waitFor();
    err.getBuffer().setLength(0);
    String[] one = append(arguments(), "--max-steps", "0");
    assertThat(run(new StringWriter(), err, one)).as(err.toString()).isZero(); // the lock went too
  }

  private static int run(StringWriter out, StringWriter err, String... arguments) {
    CommandLine commandLine = Main.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    return Main.run(arguments, commandLine);
  }

  private String[] arguments(String... overrides) throws IOException {
    Path corpus = Files.createDirectories(folder.resolve("corpus"));
    for (int document = 0; document < 40; document++) {
      Files.writeString(
          corpus.resolve(document + ".txt"), ("line of document " + document + "\n").repeat(40));
    }
    Path file =
        Files.writeString(
            folder.resolve("small.yaml"),
            """
            model: {preset: tiny-v3}
            data: {sources: [%s], sequence_length: 32, validation_fraction: 0.2, cache: %s}
            training: {tokens_per_step: 256, micro_batch: 4, steps: 100000}
            checkpoint: {every_steps: 0}
            logging: {every_steps: 1}
            device: cpu
            threads: 1
            """
                .formatted(corpus, folder.resolve("cache")));
    List<String> words =
        new ArrayList<>(
            List.of("train", file.toString(), "--run-dir", folder.resolve("run").toString()));
    words.addAll(List.of("--no-watch", "--set", "optimizer.learning_rate=5e-4"));
    for (String override : overrides) {
      words.addAll(List.of("--set", override));
    }
    return words.toArray(String[]::new);
  }

  private static String[] append(String[] words, String... more) {
    List<String> all = new ArrayList<>(Arrays.asList(words));
    all.addAll(Arrays.asList(more));
    return all.toArray(String[]::new);
  }

  private Child start(String... overrides) throws IOException {
    Child child = new Child(arguments(overrides));
    children.add(child);
    return child;
  }

  /** The program in a process of its own. */
  private static final class Child {
    private final Process process;
    private final BufferedReader output;
    private final StringBuilder text = new StringBuilder();

    Child(String... arguments) throws IOException {
      List<String> words =
          new ArrayList<>(
              List.of(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx512m",
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "--enable-native-access=ALL-UNNAMED",
                  "-cp",
                  String.join(
                      File.pathSeparator,
                      System.getProperty("jdk.module.path", ""),
                      System.getProperty("java.class.path", "")),
                  "dev.duoka.cli.Main"));
      words.addAll(Arrays.asList(arguments));
      process = new ProcessBuilder(words).redirectErrorStream(true).start();
      output = process.inputReader();
    }

    void waitFor(String beginning) throws IOException {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        text.append(line).append('\n');
        if (line.startsWith(beginning)) {
          return;
        }
      }
      throw new AssertionError("it ended without '" + beginning + "':\n" + text);
    }

    void send(String signal) throws IOException, InterruptedException {
      assumeTrue(!ignores("INT".equals(signal) ? 2 : 15), "this session ignores SIG" + signal);
      Process kill = new ProcessBuilder("kill", "-" + signal, "" + process.pid()).start();
      assertThat(kill.waitFor(20, TimeUnit.SECONDS)).isTrue();
    }

    /** A shell without job control lets what it starts in the background ignore SIGINT. */
    private boolean ignores(int signal) throws IOException {
      String mask =
          Files.readAllLines(Path.of("/proc/" + process.pid() + "/status")).stream()
              .filter(line -> line.startsWith("SigIgn:"))
              .map(line -> line.substring("SigIgn:".length()).strip())
              .findFirst()
              .orElse("0");
      return (Long.parseUnsignedLong(mask, 16) >> (signal - 1) & 1) != 0;
    }

    /** Everything that it has said; reads on to its end. */
    String text() {
      try {
        for (String line = output.readLine(); line != null; line = output.readLine()) {
          text.append(line).append('\n');
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return text.toString();
    }
  }
}
