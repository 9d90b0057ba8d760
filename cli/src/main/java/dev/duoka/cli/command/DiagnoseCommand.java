package dev.duoka.cli.command;

import dev.duoka.cli.console.DiagnosisReport;
import dev.duoka.diagnosis.log.LogSources;
import dev.duoka.diagnosis.rule.RuleDocs;
import dev.duoka.diagnosis.verdict.Diagnosis;
import dev.duoka.diagnosis.verdict.DiagnosisJson;
import dev.duoka.formats.json.Json;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
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
      "Exit status 0 when nothing failed, 1 when something did."
    })
final class DiagnoseCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..*",
      paramLabel = "LOG",
      description =
          "Log files (also .gz), folders of them, or - for standard input. All ranks' logs and the"
              + " hosts' dmesg together say most.")
  private List<String> logs = new ArrayList<>();

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Option(names = "--docs", description = "Print the documentation with all rules, in Markdown.")
  private boolean docs;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    if (docs) {
      if (!logs.isEmpty() || json) {
        throw new CommandLine.ParameterException(
            spec.commandLine(),
            "--docs prints the documentation and reads no log; leave out "
                + (json ? "--json" : String.join(" ", logs)));
      }
      out.print(RuleDocs.markdown());
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
}
