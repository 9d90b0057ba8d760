package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.prediction.PredictedDevice;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The page as a browser shows it. */
@Tag("browser")
@Timeout(300)
final class BrowserTests {
  private static final String DRAWN = "document.querySelectorAll('.u-wrap').length > 3";

  @TempDir Path folder;
  @TempDir Path state;
  private WatchServer server;
  private Browser browser;

  @BeforeEach
  void serve() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int step = 1; step <= 400; step++) {
      lines
          .append("{\"step\":" + step + ",\"loss\":" + (step == 77 ? "null" : 5.0 / step))
          .append(",\"lr\":0.001,\"grad_norm\":2,\"tokens\":64,\"time\":" + (1000 + step))
          .append(",\"seconds\":{\"total\":" + (step < 200 ? 0.5 : 0.6) + ",\"forward\":0.2}")
          .append(step == 1 ? ",\"rank_memory\":[{\"weights\":1000,\"driver_bytes\":2000}]" : "")
          .append(
              step % 40 == 0
                  ? ",\"grad_range\":[{\"layer\":\"a\",\"min\":-0.5,\"max\":0.25,\"rms\":0.1}]"
                  : "")
          .append("}\n");
    }
    Files.writeString(folder.resolve("metrics.jsonl"), lines);
    Files.writeString(folder.resolve("notes.md"), "tags: baseline\n");
    Files.writeString(
        folder.resolve("run.log"), "<img src=x onerror='window.planted=1'><script>x</script>\n");
    Files.writeString(
        folder.resolve("answers.jsonl"),
        """
        {"step":200,"prompt":"q1","expected":"yes","answer":"no","ended":true}
        {"step":400,"prompt":"q1","expected":"yes","answer":"<img src=x onerror='window.planted=1'>","ended":false}
        """);
    PredictionFile.write(
        folder.resolve(PredictionFile.NAME),
        new Prediction(
            List.of(Map.of("weights", 1000L)),
            List.of(new PredictedDevice("cpu", List.of(0), Map.of("process", 900L))),
            Optional.of(
                new PredictedStep(
                    0.5, 0.4, 0.55, 0.3, Map.of("forward", 0.2), Map.of(), "a probe")),
            ""));
    WatchedRuns runs = RunFolders.runs(folder, state.resolve("state"));
    runs.find(Optional.empty()).orElseThrow().readAll();
    server = WatchServer.start(runs, OptionalInt.of(0), Set.of());
    browser = new Browser();
  }

  @AfterEach
  void close() throws IOException {
    server.close();
    browser.close();
  }

  private String text(Browser.Tab tab, String selector) {
    return tab.value("document.querySelector('" + selector + "').innerText");
  }

  @Test
  void aRunIsShownWithItsPrediction() throws Exception {
    Browser.Tab tab = browser.open(server.address());
    tab.until(DRAWN);
    assertThat(text(tab, "#prediction"))
        .contains("Predicted before the first step", "beyond the range", "+20 %", "weights")
        .contains("floor of a step 300 ms (roofline 50.0 %)");
    assertThat(text(tab, "#latest")).contains("Roofline utilisation", "50.0 %");
    assertThat(text(tab, "#charts")).contains("Utilisation: MFU and roofline");
    assertThat(text(tab, "#tags")).isEqualTo("baseline");
    assertThat(tab.value("[...document.querySelectorAll('.bad')].map(p => p.innerText).join()"))
        .contains("no number at step 77");
    assertThat(text(tab, "#log")).contains("<img src=x onerror=");
    assertThat(tab.value("window.planted")).isEqualTo("undefined");
    assertThat(tab.value("location.href")).doesNotContain("token");
    assertThat(tab.complaints()).isEmpty();
  }

  /** A run that sees the driver's sixth card alone calls it its first. */
  @Test
  void aSeatShowsTheCardWithItsIdentity() throws Exception {
    Browser.Tab tab = browser.open(server.address());
    tab.until(DRAWN);
    String shown =
        tab.value(
            """
            (() => {
              const box = document.createElement("section");
              const make = (tag, text) => Object.assign(document.createElement(tag), {textContent: text || ""});
              const seats = [{rank: 0, node: 0, process: 0, pipeline: 0, device: "cuda:0", card: "H100", uuid: "GPU-f"}];
              const cards = [
                {index: 0, uuid: "GPU-a", stale: false, utilisation: 11},
                {index: 5, uuid: "GPU-f", stale: false, utilisation: 66, sm_active: 61.2, tensor_active: 44, dram_active: 20.7}];
              showMachine(box, {placement: {axes: {data: 1}, seats, groups: []}, cards}, word => word, make);
              return box.textContent;
            })()
            """);
    assertThat(shown)
        .contains("66 % · SM 61 % · tensor cores 44 % · DRAM 21 %")
        .doesNotContain("11 %");
  }

  /** Two bridged pairs on two NUMA nodes, as {@code placement.json} has them. */
  private static final String TWO_PAIRS =
      """
      {"axes":{"pipeline":1,"replicate":1,"shard":2,"context":1,"tensor":2,"expert":1},
       "seats":[
        {"rank":0,"device":"cuda:0","index":0,"card":"A6000","uuid":"GPU-a","process":0,"node":0,"pipeline":0,"data":0,"context":0,"tensor":0,"expert":0},
        {"rank":1,"device":"cuda:1","index":1,"card":"A6000","process":0,"node":0,"pipeline":0,"data":0,"context":0,"tensor":1,"expert":0},
        {"rank":2,"device":"cuda:2","index":2,"card":"A6000","process":0,"node":0,"pipeline":0,"data":1,"context":0,"tensor":0,"expert":0},
        {"rank":3,"device":"cuda:3","index":3,"card":"A6000","process":0,"node":0,"pipeline":0,"data":1,"context":0,"tensor":1,"expert":0}],
       "groups":[{"axis":"tensor","ranks":[0,1],"slowest_link":"NV4","gb_per_s_each_way":{"low":56.25,"high":56.25,"assumed":false}},
        {"axis":"tensor","ranks":[2,3],"slowest_link":"NV4","gb_per_s_each_way":null},
        {"axis":"data","ranks":[0,2],"slowest_link":"SYS","gb_per_s_each_way":{"low":4.72561,"high":20.4776,"assumed":true}},
        {"axis":"data","ranks":[1,3],"slowest_link":"SYS","gb_per_s_each_way":null}],
       "topology":{"gpus":5,"links":{"0-1":"NV4","2-3":"NV4","0-2":"SYS"},"nvswitches":[],
        "numa":{"0":0,"1":0,"2":1,"3":1,"4":1},
        "devices":[{"index":0,"numa_node":0},{"index":1,"numa_node":0},{"index":2,"numa_node":1},{"index":3,"numa_node":1},{"index":4,"name":"NVIDIA A2","numa_node":1}],
        "nic_devices":[{"label":"NIC0","device":"mlx5_0","numa_node":1,"gigabits_per_second":200}],
        "pcie_switches":[{"tree":false,"gpus":[0,1],"nics":[]}],
        "numa_nodes":[{"id":0,"cpus":"0-15"},{"id":1,"cpus":"16-31"}],
        "bandwidth_gb_per_s":{"0-1":{"low":56.25,"high":56.25,"assumed":false}},
        "placement":{"nvlink_groups":[[0,1],[2,3],[4]]}}}
      """;

  @Test
  void theMeshLiesOnAPictureOfTheMachine() throws Exception {
    Files.writeString(folder.resolve("placement.json"), TWO_PAIRS);
    Browser.Tab tab = browser.open(server.address());
    tab.until("document.querySelectorAll('.picture .place').length === 5");
    String picture = tab.value("document.querySelector('.picture').textContent");
    assertThat(picture)
        .contains("NUMA node 0 · CPU 0-15", "NUMA node 1 · CPU 16-31", "between NUMA nodes")
        .contains("PCIe switch", "mlx5_0 200G", "NV4 · 56.3 GB/s")
        .contains("GPU 2 = cuda:2", "A2", "not used by this run")
        .contains("data 0, 2: SYS 4.73–20.5 GB/s (?)");
    assertThat(tab.value("document.querySelectorAll('.picture .place.card').length"))
        .isEqualTo("4");
    assertThat(tab.value("document.querySelectorAll('.picture path.nvlink').length"))
        .isEqualTo("2");
    assertThat(tab.value(points("tensor"))).isEqualTo("0,1,2,3");
    assertThat(tab.value(points("data"))).isEqualTo("0,2,1,3");
    assertThat(tab.value(across("tensor") + " === " + across("data")))
        .as("rank 0 stands under its card in each row")
        .isEqualTo("true");
    assertThat(
            tab.value(
                "[...document.querySelectorAll('.picture text')].every(text => text.getBBox().x >="
                    + " 0)"))
        .isEqualTo("true");
    assertThat(tab.complaints()).isEmpty();
  }

  private static String points(String axis) {
    return "[...document.querySelectorAll('g.axis-" + axis + " text')].map(it => it.textContent)";
  }

  private static String across(String axis) {
    return "document.querySelector('g.axis-" + axis + " circle').getAttribute('cx')";
  }

  @Test
  void keysTurnThemeLanguageAndAxes() throws Exception {
    Browser.Tab tab = browser.open(server.address());
    tab.until(DRAWN);
    String background = "getComputedStyle(document.body).backgroundColor";
    String before = tab.value(background);
    press(tab, "t");
    assertThat(tab.value(background)).isNotEqualTo(before);
    press(tab, "z");
    tab.until("document.querySelector('#prediction').innerText.includes('训练前的预测')");
    press(tab, "x");
    press(tab, "x");
    tab.until("document.querySelector('#axis').value === 'time'");
    press(tab, "s");
    press(tab, "l");
    tab.until("document.querySelectorAll('.u-legend .raw').length > 0");
    assertThat(tab.complaints()).isEmpty();
  }

  private static void press(Browser.Tab tab, String key) {
    tab.value("document.dispatchEvent(new KeyboardEvent('keydown', {key: '" + key + "'}))");
  }

  @Test
  void eightTabsAllShowWhatIsNew() throws Exception {
    List<Browser.Tab> tabs = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      tabs.add(browser.open(server.address()));
    }
    for (Browser.Tab tab : tabs) {
      tab.until(DRAWN);
    }
    Files.writeString(
        folder.resolve("metrics.jsonl"), "{\"step\":401,\"loss\":1}\n", StandardOpenOption.APPEND);
    for (Browser.Tab tab : tabs) {
      tab.call("Page.bringToFront", Json.object());
      tab.until("document.querySelector('#progress').innerText.includes('401')");
      assertThat(tab.complaints()).isEmpty();
    }
  }

  private void step(int step) throws IOException {
    Files.writeString(
        folder.resolve("metrics.jsonl"),
        "{\"step\":" + step + ",\"loss\":1}\n",
        StandardOpenOption.APPEND);
  }

  /** How many listen is known when something was said to them, so that there must be news. */
  private int untilListening(int wanted, int from) throws Exception {
    int step = from;
    for (; server.listening() != wanted && step < from + 120; step++) {
      step(step);
      Thread.sleep(500);
    }
    assertThat(server.listening()).isEqualTo(wanted);
    return step;
  }

  @Test
  void aHiddenTabClosesItsStreamAndOpensItAgain() throws Exception {
    Browser.Tab tab = browser.open(server.address());
    tab.until(DRAWN);
    tab.call("Page.bringToFront", Json.object());
    assertThat(tab.value("document.visibilityState")).isEqualTo("visible");
    int step = untilListening(1, 401);
    Browser.Tab other = browser.open("about:blank");
    other.call("Page.bringToFront", Json.object());
    tab.until("document.visibilityState === 'hidden'");
    step = untilListening(0, step);
    String last = tab.value("document.querySelector('#progress').innerText");
    step(step + 1000);
    tab.value("new Promise(done => setTimeout(done, 2500))");
    assertThat(tab.value("document.querySelector('#progress').innerText"))
        .as("nothing is asked for while nobody looks")
        .isEqualTo(last);
    tab.call("Page.bringToFront", Json.object());
    tab.until("document.querySelector('#progress').innerText.includes('" + (step + 1000) + "')");
    untilListening(1, step + 1001);
    assertThat(tab.complaints()).isEmpty();
  }

  private static final int MILLION = 1_000_000;
  private static final int SPIKE = 654_321;
  private static final int NOT_A_NUMBER = 222_222;

  /** Columns of the first chart that have a colour above or anywhere, from its left edge. */
  private static String columns(String colour, double part) {
    return """
    (() => {
      const canvas = document.querySelector("#charts section canvas"), ctx = canvas.getContext("2d");
      const over = document.querySelector("#charts section .u-over"), wrap = canvas.getBoundingClientRect();
      const box = over.getBoundingClientRect(), scale = canvas.width / wrap.width;
      const left = Math.round((box.left - wrap.left) * scale), top = Math.round((box.top - wrap.top) * scale);
      const width = Math.round(box.width * scale), height = Math.round(box.height * scale * PART);
      const data = ctx.getImageData(left, top, width, height).data, found = [];
      for (let x = 0; x < width; x++) {
        for (let y = 0; y < height; y++) {
          const at = 4 * (y * width + x);
          if ([COLOUR].every((value, i) => Math.abs(data[at + i] - value) < 40) && data[at + 3] > 120) {
            found.push((x / width).toFixed(4));
            break;
          }
        }
      }
      return found.join();
    })()
    """
        .replace("PART", String.valueOf(part))
        .replace("COLOUR", colour);
  }

  @Test
  void amongAMillionStepsOneSpikeAndOneThatIsNoNumberAreSeen() throws Exception {
    try (Writer lines = Files.newBufferedWriter(folder.resolve("metrics.jsonl"))) {
      for (int step = 1; step <= MILLION; step++) {
        String loss =
            step == SPIKE ? "50" : step == NOT_A_NUMBER ? "null" : "2." + (step * 7919L % 100);
        lines.write("{\"step\":" + step + ",\"loss\":" + loss + ",\"lr\":1}\n");
      }
    }
    Browser.Tab tab = browser.open(server.address());
    tab.until("document.querySelector('#progress').innerText === 'step " + MILLION + "'");
    tab.until("document.querySelectorAll('.u-wrap').length > 1");
    tab.until(near(columns("198, 40, 40", 0.8), (double) NOT_A_NUMBER / MILLION));
    tab.until(near(columns("11, 98, 214", 0.8), (double) SPIKE / MILLION));
    assertThat(tab.value("document.querySelector('#charts .bad').innerText"))
        .isEqualTo("no number at step " + NOT_A_NUMBER);
    assertThat(tab.complaints()).isEmpty();
  }

  /** Whether there are columns, and all at this place. */
  private static String near(String columns, double place) {
    return "(found => found !== '' && found.split(',').every(at => Math.abs(at - "
        + place
        + ") < 0.006))("
        + columns.strip()
        + ")";
  }

  @Test
  void tenRunsLieOverEachOtherWithWhatDiffers() throws Exception {
    RunRegistry registry = new RunRegistry(new StateFolder(state.resolve("state")));
    for (int i = 1; i <= 12; i++) {
      Path other = Files.createDirectories(state.resolve("other " + i));
      Files.writeString(
          other.resolve("metrics.jsonl"),
          "{\"step\":1,\"loss\":" + i + "}\n{\"step\":400,\"loss\":" + i + "}\n");
      Files.writeString(
          other.resolve("run.yaml"), "optimizer:\n  learning_rate: 0." + i + "\ndevice: cpu\n");
      Files.writeString(other.resolve("notes.md"), "tags: " + (i <= 9 ? "sweep" : "else") + "\n");
      registry.add(other, 0, Optional.empty());
    }
    Browser.Tab tab = browser.open(server.address());
    tab.until(DRAWN);
    press(tab, "r");
    String boxes = "[...document.querySelectorAll('#run-list input')]";
    tab.until(boxes + ".length === 13");
    tab.value(
        "(() => { const box = document.getElementById('filter'); box.value = 'sweep';"
            + " box.dispatchEvent(new Event('input')); })()");
    tab.until(boxes + ".length === 10");
    for (int i = 1; i <= 9; i++) {
      tab.value(boxes + ".find(box => !box.checked).click()");
      tab.until(boxes + ".filter(box => box.checked).length === " + (i + 1));
    }
    tab.until("document.querySelectorAll('#run-list th').length === 11");
    assertThat(text(tab, "#run-list table")).contains("optimizer.learning_rate", "0.9");
    tab.until(
        "document.querySelector('#charts section').querySelectorAll('.u-series').length === 11");
    assertThat(text(tab, "#charts section"))
        .contains("other 1", "other 5")
        .doesNotContain("other 10");
    assertColoursDiffer(tab);
    press(tab, "t");
    tab.until("document.querySelector('#charts section .u-series:nth-child(2)') !== null");
    assertColoursDiffer(tab);
    assertThat(tab.complaints()).isEmpty();
  }

  /** The ten lines of the first chart, by the colours in its legend. */
  private static void assertColoursDiffer(Browser.Tab tab) {
    String legend =
        "[...document.querySelector('#charts section').querySelectorAll('.u-marker')].slice(1)"
            + ".map(mark => getComputedStyle(mark).borderTopColor).join(';')";
    List<int[]> colours =
        Pattern.compile("rgb\\((\\d+), (\\d+), (\\d+)\\)")
            .matcher(tab.value(legend))
            .results()
            .map(it -> IntStream.range(1, 4).map(i -> Integer.parseInt(it.group(i))).toArray())
            .toList();
    assertThat(colours).hasSize(10);
    for (int[] one : colours) {
      for (int[] other : colours) {
        int apart = IntStream.range(0, 3).map(i -> Math.abs(one[i] - other[i])).sum();
        assertThat(one == other || apart > 60).as(one[0] + " " + other[0]).isTrue();
      }
    }
  }

  @Test
  void answersStandBesideWhatIsExpectedTheNewestFirst() throws Exception {
    Browser.Tab tab = browser.open(server.address());
    tab.until(DRAWN);
    tab.until("document.querySelectorAll('#answers tr').length === 3");
    assertThat(text(tab, "#answers tr:nth-child(2)"))
        .startsWith("400")
        .contains("yes", "<img src=x onerror=", "(did not end by itself)");
    assertThat(text(tab, "#answers tr:nth-child(3)")).contains("no").doesNotContain("did not end");
    press(tab, "z");
    tab.until("document.querySelector('#answers').innerText.includes('未自行结束')");
    assertThat(tab.complaints()).isEmpty();
  }

  /** What the map says in its first row, at a place from 0 to 1. */
  private static String cell(Browser.Tab tab, double across) {
    return tab.value(
        """
        (() => {
          const canvas = document.querySelector(".heat canvas"), box = canvas.getBoundingClientRect();
          canvas.dispatchEvent(new MouseEvent("mousemove",
            {clientX: box.left + box.width * ACROSS, clientY: box.top + 2}));
          return document.querySelector(".cell").textContent;
        })()
        """
            .replace("ACROSS", String.valueOf(across)));
  }

  @Test
  void theHeatMapTellsItsCellsAndShowsTheLargestToo() throws Exception {
    Browser.Tab tab = browser.open(server.address());
    tab.until(DRAWN);
    tab.until("document.querySelector('.heat canvas') !== null");
    assertThat(cell(tab, 0.5)).isEqualTo("a · step 200 · 0.10000");
    tab.value("document.querySelector('section.wide .tools button').click()");
    tab.until("document.querySelector('section.wide h2').innerText.includes('largest by amount')");
    assertThat(cell(tab, 0.5)).isEqualTo("a · step 200 · 0.50000");
    assertThat(tab.complaints()).isEmpty();
  }

  @Test
  void tokensAreThoseThatWereTakenAndTheHeatMapFollowsTheAxis() throws Exception {
    StringBuilder lines = new StringBuilder();
    for (int step = 1; step <= 400; step++) {
      lines
          .append("{\"step\":" + step + ",\"loss\":1,\"lr\":1,\"grad_norm\":1")
          .append(",\"tokens\":" + (step <= 200 ? 64 : 256))
          .append(",\"time\":" + (1000 + (step <= 300 ? step : 300 + 9 * (step - 300))))
          .append(
              step % 40 == 0
                  ? ",\"grad_range\":[{\"layer\":\"a\",\"min\":-1,\"max\":1,\"rms\":0.1}]"
                  : "")
          .append("}\n");
    }
    Files.writeString(folder.resolve("metrics.jsonl"), lines);
    Browser.Tab tab = browser.open(server.address());
    tab.until("document.querySelector('.heat canvas') !== null");
    keepSaved(tab);
    assertThat(cell(tab, 0.5)).contains("step 200");
    press(tab, "x");
    tab.until("document.querySelector('.scale').innerText.includes('tokens')");
    assertThat(cell(tab, 0.5)).as("half of 64,000 tokens is step 275").contains("step 240");
    save(tab, "Learning rate", "CSV");
    assertThat(promised(tab, "kept.at(-1).text()"))
        .startsWith("tokens,")
        .contains("\n64,1\n", "\n12800,1\n", "\n13056,1\n")
        .endsWith("\n64000,1\n");
    press(tab, "x");
    tab.until("document.querySelector('.scale').innerText.includes('time')");
    assertThat(cell(tab, 0.5)).as("half of 1,200 seconds is step 333").contains("step 320");
    assertThat(tab.complaints()).isEmpty();
  }

  /** What is saved from here on is kept for {@link #save}. */
  private static void keepSaved(Browser.Tab tab) {
    tab.value(
        "(() => { window.kept = []; URL.createObjectURL = blob => { kept.push(blob); return '#'; };"
            + " HTMLAnchorElement.prototype.click = function () {}; })()");
  }

  private static String promised(Browser.Tab tab, String promise) throws InterruptedException {
    tab.value("(() => { window.came = []; " + promise + ".then(it => came.push(it)); })()");
    tab.until("came.length > 0");
    return tab.value("came[0]");
  }

  private static void save(Browser.Tab tab, String chart, String label) throws Exception {
    String had = tab.value("kept.length");
    tab.value(
        "[...[...document.querySelectorAll('#charts section')].find(box =>"
            + (" box.querySelector('h2').innerText === '" + chart + "')")
            + ".querySelectorAll('.tools button')].find(button => button.innerText === '"
            + (label + "').click()"));
    tab.until("kept.length > " + had);
  }

  @Test
  void whatIsShownIsSavedAsTextAndAsAPicture() throws Exception {
    Browser.Tab tab = browser.open(server.address());
    tab.until(DRAWN);
    keepSaved(tab);
    save(tab, "Loss", "CSV");
    String text = promised(tab, "kept.at(-1).text()");
    assertThat(text).startsWith("step,training\n1,5\n2,2.5\n").contains("\n400,0.0125\n");
    save(tab, "Step time by cause, seconds", "PNG");
    String size = "createImageBitmap(kept.at(-1)).then(it => it.height)";
    String chart = "document.querySelector('.u-wrap canvas').height";
    assertThat(tab.value("kept.at(-1).type")).isEqualTo("image/png");
    assertThat(Integer.parseInt(promised(tab, size)))
        .as("with the names of its lines below")
        .isGreaterThanOrEqualTo(Integer.parseInt(tab.value(chart)) + 28 + 30);
    assertThat(tab.complaints()).isEmpty();
  }

  @Test
  void draggingOverOneChartZoomsAll() throws Exception {
    Browser.Tab tab = browser.open(server.address());
    tab.until(DRAWN);
    keepSaved(tab);
    drag(tab);
    for (int i = 0; i < 100 && !cell(tab, 0.02).contains("step"); i++) {
      Thread.sleep(100); // the whole map has nothing there
    }
    assertThat(cell(tab, 0.02)).contains("step 1");
    save(tab, "Learning rate", "CSV");
    String[] rows = promised(tab, "kept.at(-1).text()").split("\n");
    assertThat(Integer.parseInt(rows[2].replaceFirst(",.*", ""))).isBetween(90, 112);
    assertThat(rows).hasSizeBetween(190, 220);
    assertThat(tab.complaints()).isEmpty();
  }

  /** From a quarter to three quarters of the first chart. */
  private static void drag(Browser.Tab tab) {
    tab.value("document.querySelector('.u-over').scrollIntoView({block: 'center'})");
    String box = "document.querySelector('.u-over').getBoundingClientRect()";
    double left = Double.parseDouble(tab.value(box + ".left"));
    double width = Double.parseDouble(tab.value(box + ".width"));
    double top = Double.parseDouble(tab.value(box + ".top")) + 30;
    mouse(tab, "mouseMoved", left + width / 4, top);
    mouse(tab, "mousePressed", left + width / 4, top);
    mouse(tab, "mouseMoved", left + width / 2, top);
    mouse(tab, "mouseMoved", left + width * 3 / 4, top);
    mouse(tab, "mouseReleased", left + width * 3 / 4, top);
  }

  private static void mouse(Browser.Tab tab, String type, double x, double y) {
    tab.call(
        "Input.dispatchMouseEvent",
        Json.object()
            .put("type", type)
            .put("x", x)
            .put("y", y)
            .put("button", "left")
            .put("buttons", type.equals("mouseMoved") ? 1 : 0)
            .put("clickCount", 1));
  }

  @Test
  void timeHasMarksAtWholeMinutes() throws Exception {
    Browser.Tab tab = browser.open(server.address());
    tab.until(DRAWN);
    tab.value(
        "(() => { window.drawn = []; const fill = CanvasRenderingContext2D.prototype.fillText;"
            + " CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {"
            + " drawn.push(text); fill.call(this, text, ...more); }; })()");
    press(tab, "x");
    press(tab, "x");
    tab.until("drawn.includes('5 min')");
    assertThat(tab.complaints()).isEmpty();
  }

  /** As Jupyter and VS Code show it: under a path of theirs, of which the server is not told. */
  @Test
  void aPathBeforeThePageIsNoHindrance() throws Exception {
    String before = "/user/ann/proxy/7470";
    URI page = URI.create(server.address());
    HttpServer proxy = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    proxy.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    HttpClient client = HttpClient.newHttpClient();
    try {
      proxy.createContext(
          before + "/",
          exchange -> {
            try (exchange) {
              String asked = exchange.getRequestURI().toString().substring(before.length());
              HttpRequest.Builder request = HttpRequest.newBuilder(page.resolve(asked));
              Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization"))
                  .ifPresent(token -> request.header("Authorization", token));
              HttpResponse<InputStream> answer =
                  client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
              exchange
                  .getResponseHeaders()
                  .set("Content-Type", answer.headers().firstValue("Content-Type").orElse(""));
              exchange.sendResponseHeaders(answer.statusCode(), 0);
              try (InputStream body = answer.body()) {
                body.transferTo(exchange.getResponseBody());
              }
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
      proxy.start();
      String address = "http://127.0.0.1:" + proxy.getAddress().getPort() + before + "/";
      Browser.Tab tab = browser.open(address + "#" + page.getRawFragment());
      tab.until(DRAWN);
      assertThat(tab.value("location.href")).isEqualTo(address);
      assertThat(tab.complaints()).isEmpty();
    } finally {
      client.shutdownNow();
      proxy.stop(0);
    }
  }

  @Test
  void withoutTheTokenNothingIsShown() throws Exception {
    Browser.Tab tab = browser.open(server.address().replaceFirst("#.*", ""));
    tab.until("document.querySelector('#alert').innerText.includes('needs its token')");
    assertThat(text(tab, "body")).doesNotContain(String.valueOf(folder.getFileName()));
  }

  @Test
  void aSavedPageIsTheSameWithoutAServer() throws Exception {
    Path file = state.resolve("saved page.html");
    WatchedRun run = RunFolders.run(folder);
    run.readAll();
    SavedRun.html(run, file, false);
    server.close();
    Browser.Tab tab = browser.open(file.toUri().toString());
    tab.until(DRAWN);
    assertThat(text(tab, "#prediction")).contains("beyond the range");
    assertThat(text(tab, "#log"))
        .isEqualTo("Left out when this page was saved; --with-text keeps it.");
    press(tab, "+");
    assertThat(cell(tab, 0.02)).isEqualTo("a · step 100 · 0.10000");
    assertThat(tab.complaints()).isEmpty();
  }
}
