package dev.duoka.cli.command;

import dev.duoka.base.NearestName;
import dev.duoka.cli.console.DiagnosisReport;
import dev.duoka.diagnosis.log.LogSources;
import dev.duoka.diagnosis.rule.Component;
import dev.duoka.diagnosis.rule.RuleDocs;
import dev.duoka.diagnosis.verdict.Diagnosis;
import dev.duoka.diagnosis.verdict.DiagnosisJson;
import dev.duoka.formats.json.Json;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka diagnose}: why a run failed, from its logs. */
@Command(
    name = "diagnose",
    description = {
      "Read training and kernel logs and name root causes, best first, with the line that shows"
          + " each and what to do.",
      "Exit status 0 when nothing failed, 1 when something did.",
      "Example: duoka diagnose train.log dmesg.txt"
    })
final class DiagnoseCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..*",
      paramLabel = "LOG",
      description =
          "Log files (also .gz), folders of them, pipes, or - for standard input. All ranks' logs"
              + " and the hosts' dmesg together say most.")
  private List<String> logs = new ArrayList<>();

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Option(
      names = "--docs",
      arity = "0..1",
      fallbackValue = "",
      paramLabel = "COMPONENT",
      description =
          "Print how it decides, or with a component such as memory that one's rules, in Markdown.")
  private @Nullable String docs;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    if (docs != null) {
      if (!logs.isEmpty() || json) {
        throw new CommandLine.ParameterException(
            spec.commandLine(),
            "--docs prints the documentation and reads no log; leave out "
                + (json ? "--json" : String.join(" ", logs)));
      }
      out.print(docs.isEmpty() ? RuleDocs.markdown() : RuleDocs.markdown(component(docs)));
      out.flush();
      return 0;
    }
    if (logs.isEmpty()) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "name log files, folders or -, or --docs for the list of all rules");
    }
    Diagnosis diagnosis = Diagnosis.of(LogSources.of(logs, System.in));
    if (json) {
      out.println(Json.line(DiagnosisJson.of(diagnosis)));
    } else {
      DiagnosisReport.print(diagnosis, out);
    }
    out.flush();
    return diagnosis.findings().isEmpty() ? 0 : 1;
  }

  private Component component(String name) {
    List<String> names = Arrays.stream(Component.values()).map(Component::label).toList();
    int index = names.indexOf(name.strip());
    if (index < 0) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "there is no component '" + name + "'. " + NearestName.hint(name, names));
    }
    return Component.values()[index];
  }
}
