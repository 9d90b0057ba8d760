package dev.duoka.cli.command;

import dev.duoka.cli.console.ChatConsole;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.generate.Conversation;
import dev.duoka.train.generate.Generator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka chat}: talk to what was tuned. */
@Command(
    name = "chat",
    description = {
      "Talk to a model, in its own chat template: a line is a question, the answer comes word by"
          + " word, and each knows those before.",
      "RUN is what 'generate' takes: a run's folder, a checkpoint, a model or an adapter.",
      "/adapter off and on compare an adapter with its base, /adapter NAME takes another of those"
          + " that --adapter gave, called by the last part of its path; /system TEXT says what"
          + " stands before all questions, /clear forgets them, /exit or the end of the input"
          + " ends.",
      "With --mesh several devices share the model out, for one that none of them can hold:"
          + " --device cuda --mesh tensor=2.",
      "Example: duoka chat runs/my-run --device cuda"
    })
final class ChatCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "RUN", description = "Where the model is.")
  private Path run = Path.of(".");

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      description =
          "An adapter of RUN, which is its base then: a folder in PEFT's form or a run. Several may"
              + " be given; the first is used at first.")
  private List<Path> adapters = List.of();

  @Option(
      names = "--base-form",
      paramLabel = "FORM",
      description =
          "How the base is kept beside an adapter in PEFT's form, which need not say it: nf4 for"
              + " one that was trained with load_in_4bit, nf4_single where"
              + " bnb_4bit_use_double_quant was off. Default: as it was trained where a run or its"
              + " export says so, else dense.")
  private @Nullable BaseForm form;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "What stands before all questions.")
  private String system = "";

  @Option(
      names = "--template",
      paramLabel = "NAME",
      description = "The chat template, by name or as a Jinja file. Default: the tokenizer's.")
  private @Nullable String template;

  @Mixin private WritingDevices devices = new WritingDevices();

  @Mixin private SamplingOptions sampling = new SamplingOptions();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    try (Generator generator = load(err)) {
      ChatTemplate read = template == null ? generator.chatTemplate() : ChatTemplate.of(template);
      Conversation conversation = new Conversation(generator, read, sampling.sampling());
      conversation.system(system);
      new ChatConsole(generator, conversation, spec.commandLine().getOut(), err)
          .run(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
    }
    return 0;
  }

  private Generator load(PrintWriter notes) {
    Consumer<CheckpointEvent> listener = event -> notes.println("note     " + event.text());
    Optional<BaseForm> kept = Optional.ofNullable(form);
    Optional<ParallelSettings> mesh = devices.mesh();
    try (ProgressLine line = ProgressLine.open("loading the model", notes)) {
      return mesh.isEmpty()
          ? Generator.open(run, adapters, kept, devices.single(), listener, line)
          : Generator.open(
              run, adapters, kept, mesh.get(), devices.placement(mesh.get()), listener, line);
    }
  }
}
