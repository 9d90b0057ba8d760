package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ChatCommandTests {
  @TempDir Path folder;

  private ProgramRun chat(String input, String... more) {
    return chatWith("run", input, more);
  }

  private ProgramRun chatWith(String model, String input, String... more) {
    ProgramRun program = new ProgramRun();
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
    try {
      String[] words = new String[more.length + 4];
      words[0] = "chat";
      words[1] = folder.resolve(model).toString();
      words[2] = "--tokens";
      words[3] = "5";
      System.arraycopy(more, 0, words, 4, more.length);
      int status = program.run(words);
      assertThat(status).as(program.err().toString()).isEqualTo(more.length == 0 ? 2 : 0);
    } finally {
      System.setIn(before);
    }
    return program;
  }

  private void train() throws IOException {
    train("run", "{preset: tiny-llama}", "");
  }

  private void train(String name, String model, String more) throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), "some text ".repeat(2000));
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: %s
            data: {sources: [%s], sequence_length: 16, cache: %s}
            training: {tokens_per_step: 64, micro_batch: 2, steps: 1}
            schedule: {warmup_steps: 0}
            device: cpu
            threads: 1
            %s
            """
                .formatted(model, text, folder.resolve("cache"), more));
    ProgramRun program = new ProgramRun();
    int status =
        program.run(
            "train", file.toString(), "--no-watch", "--run-dir", folder.resolve(name).toString());
    assertThat(status).as(program.err().toString()).isZero();
  }

  @Test
  void questionsAreAnsweredAndOrdersObeyed() throws IOException {
    train();
    assertThat(chat("hello\n").err().toString())
        .contains("brings no chat template", "--template, a Jinja file or one of plain");
    ProgramRun talked =
        chat(
            "hello\n"
                + "/adapter off\n"
                + "/system be short\n"
                + "/nonsense\n\n"
                + "/help\n"
                + "/clear\n"
                + "again\n"
                + "/exit\n"
                + "never\n",
            "--template",
            "plain");
    assertThat(talked.err().toString())
        .contains(
            "this model has no adapter",
            "understood",
            "There is no /nonsense: /adapter, /system, /clear, /exit, /help",
            "/clear  forgets the questions and answers so far",
            "forgotten",
            "cut off; --tokens allows more");
    assertThat(talked.out().toString().lines().count()).isGreaterThanOrEqualTo(2);
  }

  @Test
  void aMeshAnswersAsOneRankDoes() throws IOException {
    train();
    String questions = "hello\nand again\n/system be short\nonce more\n";
    String[] greedy = {"--template", "plain", "--temperature", "0"};
    ProgramRun alone = chat(questions, greedy);
    ProgramRun shared = chat(questions, and(greedy, "--mesh", "tensor=2,pipeline=2"));
    assertThat(alone.out().toString()).isNotBlank();
    assertThat(shared.out().toString()).isEqualTo(alone.out().toString());
    assertThat(shared.err().toString()).isEqualTo(alone.err().toString());
    ProgramRun refused = new ProgramRun();
    String run = folder.resolve("run").toString();
    assertThat(refused.run("chat", run, "--template", "plain", "--mesh", "tensor=3")).isEqualTo(2);
    assertThat(refused.err().toString()).contains("heads do not divide");
  }

  private static String[] and(String[] words, String... more) {
    return Stream.concat(Stream.of(words), Stream.of(more)).toArray(String[]::new);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "--mesh tensor=2"})
  void aFailureDoesNotContinueTheLineOfThePrompt(String mesh) throws IOException {
    train();
    ProgramRun failed = new ProgramRun();
    String[] words = {"generate", folder.resolve("run").toString(), "--prompt", "x".repeat(50_000)};
    String[] options = mesh.isEmpty() ? new String[0] : mesh.split(" ");
    assertThat(failed.run(and(words, options))).isNotZero();
    assertThat(failed.err().toString()).contains("duoka: ");
    assertThat(failed.out().toString()).matches("(x+\\R)?");
    ProgramRun programs = new ProgramRun();
    assertThat(programs.run(and(words, and(options, "--json")))).isNotZero();
    assertThat(programs.out().toString()).isEmpty();
  }

  @Test
  void adaptersTakeTurns() throws IOException {
    train();
    Path base = folder.resolve("base");
    ProgramRun exported = new ProgramRun();
    int status =
        exported.run("export", folder.resolve("run").toString(), "--output", base.toString());
    assertThat(status).as(exported.err().toString()).isZero();
    String model = "{path: " + base + ", load_weights: true}";
    train("one", model, "adapter: {rank: 2}");
    train("two", model, "adapter: {rank: 3}");
    String one = folder.resolve("one").toString();
    ProgramRun talked =
        chatWith(
            "base",
            "hello\n"
                + "/adapter two\n"
                + "hello\n"
                + "/adapter\n"
                + "/adapter off\n"
                + "/adapter\n"
                + "/adapter one\n"
                + "/adapter\n",
            "--template",
            "plain",
            "--adapter",
            one,
            "--adapter",
            folder.resolve("two").toString());
    assertThat(talked.err().toString())
        .contains(
            "/adapter on|off|one|two, /system",
            "the adapter is two",
            "say /adapter on or /adapter off, or one of one, two; the present one is two, which"
                + " is on",
            "the adapter is off",
            "the present one is two, which is off",
            "the present one is one, which is on");
    ProgramRun beside = new ProgramRun();
    beside.run("generate", base.toString(), "--adapter", one, "--prompt", "some", "--tokens", "5");
    ProgramRun alone = new ProgramRun();
    alone.run("generate", one, "--prompt", "some", "--tokens", "5");
    assertThat(beside.out().toString()).startsWith("some").isEqualTo(alone.out().toString());
  }
}
