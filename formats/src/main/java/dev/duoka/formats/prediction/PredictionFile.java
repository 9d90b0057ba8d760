package dev.duoka.formats.prediction;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Sha256;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A prediction on disk, with the SHA-256 of what it says: one that was changed afterwards is told
 * from one that was not.
 *
 * @param prediction what it says
 * @param sha256 of what it says now, 64 hexadecimal digits
 * @param unchanged whether that is the one that stands in it
 */
public record PredictionFile(Prediction prediction, String sha256, boolean unchanged) {
  /** The one of a run's first session. */
  public static final String NAME = "prediction.json";

  private static final Pattern LATER = Pattern.compile("prediction-from-(\\d{1,18})\\.json");
  private static final String HASH = "sha256";
  private static final String WHY_NOT = "not_predicted";

  /**
   * The name of a session's prediction.
   *
   * @param stepsBefore steps that the run had taken before it
   */
  public static String name(long stepsBefore) {
    return stepsBefore == 0 ? NAME : "prediction-from-" + (stepsBefore + 1) + ".json";
  }

  /** How many steps a run had taken before the session of such a file; empty for other files. */
  public static Optional<Long> stepsBefore(Path file) {
    String name = String.valueOf(file.getFileName());
    Matcher later = LATER.matcher(name);
    return name.equals(NAME)
        ? Optional.of(0L)
        : later.matches() ? Optional.of(Long.parseLong(later.group(1)) - 1) : Optional.empty();
  }

  /**
   * Writes a prediction, whole or not at all.
   *
   * @return the hash
   * @throws FileAlreadyExistsException when there is one: none is ever overwritten
   */
  public static String write(Path file, Prediction prediction) throws IOException {
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileAlreadyExistsException(file.toString());
    }
    ObjectNode json = json(prediction);
    String hash = hash(json);
    json.put(HASH, hash);
    CrashSafeFiles.write(file, Json.pretty(json).getBytes(StandardCharsets.UTF_8));
    return hash;
  }

  /**
   * Reads one; what it does not say is taken for nothing.
   *
   * @param source what error messages call it
   * @throws DuokaException when it is no prediction
   */
  public static PredictionFile parse(byte[] content, String source) {
    JsonNode node = Json.parse(content, source, ErrorCode.FORMAT);
    if (!(node instanceof ObjectNode json) || !json.path("ranks").isArray()) {
      throw new DuokaException(
          ErrorCode.FORMAT, source + " is no prediction", "Only duoka train writes it");
    }
    String said = json.path(HASH).asString("");
    json.remove(HASH);
    String hash = hash(json);
    return new PredictionFile(of(json), hash, hash.equals(said));
  }

  private static String hash(ObjectNode json) {
    return HexFormat.of().formatHex(Sha256.of(Json.line(json).getBytes(StandardCharsets.UTF_8)));
  }

  private static ObjectNode json(Prediction prediction) {
    ObjectNode json = Json.object();
    ArrayNode ranks = json.putArray("ranks");
    prediction.ranks().forEach(bytes -> put(ranks.addObject(), bytes));
    ArrayNode devices = json.putArray("devices");
    for (PredictedDevice device : prediction.devices()) {
      ObjectNode one = devices.addObject();
      one.put("name", device.name());
      ArrayNode numbers = one.putArray("ranks");
      device.ranks().forEach(numbers::add);
      put(one.putObject("beside"), device.beside());
    }
    prediction
        .step()
        .ifPresentOrElse(
            step -> json.set("step", json(step)), () -> json.put(WHY_NOT, prediction.whyNoStep()));
    return json;
  }

  private static ObjectNode json(PredictedStep step) {
    ObjectNode json = Json.object();
    json.put("seconds", step.seconds());
    json.put("low", step.low());
    json.put("high", step.high());
    if (!Double.isNaN(step.floor())) {
      json.put("floor", step.floor());
    }
    ObjectNode causes = json.putObject("by_cause");
    new TreeMap<>(step.byCause()).forEach(causes::put);
    ObjectNode exposed = json.putObject("exposed");
    new TreeMap<>(step.exposed()).forEach(exposed::put);
    json.put("source", step.source());
    return json;
  }

  private static void put(ObjectNode json, Map<String, Long> bytes) {
    new TreeMap<>(bytes).forEach(json::put);
  }

  private static Prediction of(ObjectNode json) {
    List<Map<String, Long>> ranks = new ArrayList<>();
    json.path("ranks").forEach(rank -> ranks.add(bytes(rank)));
    List<PredictedDevice> devices = new ArrayList<>();
    for (JsonNode device : json.path("devices")) {
      List<Integer> numbers = new ArrayList<>();
      device.path("ranks").forEach(number -> numbers.add(number.asInt(-1)));
      devices.add(
          new PredictedDevice(
              device.path("name").asString(""), numbers, bytes(device.path("beside"))));
    }
    JsonNode step = json.path("step");
    return new Prediction(
        ranks,
        devices,
        step.isObject()
            ? Optional.of(
                new PredictedStep(
                    step.path("seconds").asDouble(Double.NaN),
                    step.path("low").asDouble(Double.NaN),
                    step.path("high").asDouble(Double.NaN),
                    step.path("floor").asDouble(Double.NaN),
                    numbers(step.path("by_cause")),
                    numbers(step.path("exposed")),
                    step.path("source").asString("")))
            : Optional.empty(),
        json.path(WHY_NOT).asString(""));
  }

  private static Map<String, Long> bytes(JsonNode json) {
    Map<String, Long> bytes = new LinkedHashMap<>();
    json.properties().forEach(each -> bytes.put(each.getKey(), each.getValue().asLong(0)));
    return bytes;
  }

  private static Map<String, Double> numbers(JsonNode json) {
    Map<String, Double> numbers = new LinkedHashMap<>();
    json.properties()
        .forEach(each -> numbers.put(each.getKey(), each.getValue().asDouble(Double.NaN)));
    return numbers;
  }
}
