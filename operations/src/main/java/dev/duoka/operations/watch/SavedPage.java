package dev.duoka.operations.watch;

import dev.duoka.base.Sha256;
import dev.duoka.formats.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ObjectNode;

/**
 * The page of a run as one file: its scripts, its looks and what it shows, in as many columns as a
 * wide screen has. It asks nobody for anything.
 */
final class SavedPage {
  private static final int COLUMNS = 2048;
  private static final int HEAT_COLUMNS = 300;
  private static final List<String> STYLES = List.of("uPlot.min.css", "watch.css");
  private static final List<String> SCRIPTS =
      List.of(
          "words.js", "uPlot.iife.min.js", "prediction.js", "picture.js", "machine.js", "watch.js");

  private SavedPage() {}

  /**
   * The file's text.
   *
   * @param withText whether the log, the answers of the model and what the supervisor has said are
   *     in it
   */
  static String of(WatchedRun run, boolean withText) {
    PageFiles files = new PageFiles();
    List<String> styles = STYLES.stream().map(name -> text(files, name)).toList();
    List<String> scripts = SCRIPTS.stream().map(name -> text(files, name)).toList();
    String page = text(files, "watch.html");
    String body = page.substring(page.indexOf("<body>"), page.indexOf("</body>"));
    StringBuilder html = new StringBuilder("<!doctype html>\n<html lang=\"en\">\n<head>\n");
    html.append(
        "<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"");
    html.append("default-src 'none'; script-src ").append(hashes(scripts));
    html.append("; style-src ").append(hashes(styles)).append("\">\n");
    html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.append("<title>duoka</title>\n");
    styles.forEach(style -> html.append("<style>").append(style).append("</style>\n"));
    html.append("</head>\n").append(body);
    html.append("<script type=\"application/json\" id=\"saved\">");
    html.append(WatchHandler.escaped(Json.line(content(run, withText)))).append("</script>\n");
    scripts.forEach(script -> html.append("<script>").append(script).append("</script>\n"));
    return html.append("</body>\n</html>\n").toString();
  }

  private static ObjectNode content(WatchedRun run, boolean withText) {
    RunJson json = new RunJson(run);
    ObjectNode overview = json.overview();
    overview.put("text_left_out", !withText);
    if (!withText) {
      overview.put("log", "");
      overview.put("notes", "");
      overview.putArray("answers");
      overview.putArray("tags");
      overview.put("reason", "");
      overview.putArray("record");
      overview.putArray("problems");
    }
    long last = Math.max(1, overview.path("last_step").asLong());
    long first = Math.min(last, overview.path("first_step").asLong());
    List<String> names =
        run.history()
            .with(
                series ->
                    new ArrayList<>(
                        series.keySet().stream()
                            .filter(name -> !name.startsWith("grad_range."))
                            .filter(name -> !name.startsWith(MetricsLine.RANK_MEMORY))
                            .toList()));
    names.add(RunJson.ROOFLINE);
    names.add(RunJson.TOKENS_TAKEN);
    ObjectNode saved = Json.object();
    saved.set("run", overview);
    saved.set("series", json.series(names, new RunJson.Window(first, last, COLUMNS)));
    RunJson.Window all = new RunJson.Window(first, last, HEAT_COLUMNS);
    saved.set("heat", json.heat(MetricsLine.GRADIENT_RMS, all));
    saved.set("heat-max", json.heat(MetricsLine.GRADIENT_MAX, all));
    return saved;
  }

  private static String text(PageFiles files, String name) {
    return new String(files.at("/" + name).orElseThrow(), StandardCharsets.UTF_8);
  }

  private static String hashes(List<String> texts) {
    return texts.stream()
        .map(text -> Sha256.of(text.getBytes(StandardCharsets.UTF_8)))
        .map(hash -> "'sha256-" + Base64.getEncoder().encodeToString(hash) + "'")
        .collect(Collectors.joining(" "));
  }
}
