package dev.duoka.hardware;

import dev.duoka.base.CacheFolder;
import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A {@link MachineProfile} on disk. */
public final class MachineProfileFile {
  /** Raised when a reader of before would misread a file. */
  private static final int FORMAT = 1;

  private static final String AGAIN = "Run 'duoka calibrate' again.";

  /** Seconds of anything that is timed: an exponent that was damaged is far outside. */
  private static final double SHORTEST = 1e-12;

  private static final double LONGEST = 1e5;

  /**
   * Bytes a second: a line through what takes the same time for any size has a slope of nearly
   * nothing, so rates of streams may be far above what any memory moves.
   */
  private static final double SLOWEST = 1e3;

  private static final double FASTEST = 1e30;

  private MachineProfileFile() {}

  /**
   * Where this machine's own is, unless another place is said.
   *
   * @param ofCards whether its cards were measured; what its CPU can do is a file beside it
   */
  public static Path usual(boolean ofCards) {
    return CacheFolder.of("machine").resolve(ofCards ? "profile.json" : "profile-cpu.json");
  }

  /**
   * Makes sure that a profile can be written later, and makes its folder.
   *
   * @throws DuokaException with {@link ErrorCode#IO} if it cannot be
   */
  public static void prepare(Path file) {
    try {
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        throw new FileSystemException(file.toString(), null, "it is no file");
      }
      Files.createDirectories(folder(file));
      CrashSafeFiles.tryOut(folder(file));
    } catch (IOException e) {
      throw notWritten(file, e);
    }
  }

  /** Writes a profile, whole or not at all, and makes the folder. */
  public static void write(Path file, MachineProfile profile) {
    try {
      Files.createDirectories(folder(file));
      CrashSafeFiles.write(file, Json.pretty(json(profile)).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw notWritten(file, e);
    }
  }

  private static Path folder(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null) {
      throw new FileSystemException(file.toString(), null, "it is no file");
    }
    return folder;
  }

  private static DuokaException notWritten(Path file, IOException why) {
    return new DuokaException(
        ErrorCode.IO,
        "cannot write the machine profile " + file + ": " + IoReason.of(why),
        "Name another file with --output.",
        why);
  }

  /**
   * Reads a profile.
   *
   * @throws DuokaException with {@link ErrorCode#CONFIG} where it cannot be read, or holds what no
   *     machine is measured at
   */
  public static MachineProfile read(Path file) {
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot read the machine profile " + file + ": " + IoReason.of(e),
          "'duoka calibrate' writes one.",
          e);
    }
    JsonFields fields =
        JsonFields.of(
            Json.parse(content, file.toString(), ErrorCode.CONFIG),
            file.toString(),
            ErrorCode.CONFIG);
    if (fields.integer("format") != FORMAT) {
      throw fields.error(
          "a machine profile of format " + fields.integer("format"),
          "This version reads format " + FORMAT + ": run 'duoka calibrate' again.");
    }
    MachineProfile profile = profile(fields);
    requireGrids(fields, profile);
    return profile;
  }

  /** What {@link #write} writes. */
  public static ObjectNode json(MachineProfile profile) {
    ObjectNode json = Json.object();
    json.put("format", FORMAT);
    json.put("date", profile.date());
    ArrayNode cards = json.putArray("cards");
    profile.cards().forEach(cards::add);
    ObjectNode versions = json.putObject("versions");
    new TreeMap<>(profile.versions()).forEach(versions::put);
    json.put("seconds", profile.seconds());
    json.put("launch_seconds", profile.launchSeconds());
    ArrayNode products = json.putArray("products");
    for (ProductSample it : profile.products()) {
      ObjectNode one = products.addObject();
      one.put("format", it.format().toString());
      one.put("groups", it.groups());
      one.put("rows", it.rows());
      one.put("in", it.in());
      one.put("out", it.out());
      one.put("forward_seconds", it.forward());
      one.put("input_gradients_seconds", it.inputGradients());
      one.put("weight_gradients_seconds", it.weightGradients());
    }
    ArrayNode attention = json.putArray("attention");
    for (AttentionSample it : profile.attention()) {
      ObjectNode one = attention.addObject();
      one.put("heads", it.heads());
      one.put("length", it.length());
      one.put("width", it.width());
      one.put("value_width", it.valueWidth());
      one.put("forward_seconds", it.forward());
      one.put("backward_seconds", it.backward());
    }
    ArrayNode streams = json.putArray("streams");
    for (StreamSample it : profile.streams()) {
      ObjectNode one = streams.addObject();
      one.put("name", it.name());
      one.put("latency_seconds", it.latency());
      one.put("bytes_per_second", it.bytesPerSecond());
    }
    ArrayNode exchanges = json.putArray("exchanges");
    for (ExchangeSample it : profile.exchanges()) {
      ObjectNode one = exchanges.addObject();
      one.put("name", it.name());
      one.put("transport", it.transport());
      one.put("ranks", it.ranks());
      one.put("bytes", it.bytes());
      one.put("seconds", it.seconds());
    }
    profile
        .host()
        .ifPresent(
            it -> {
              ObjectNode host = json.putObject("host");
              host.put("to_device_bytes_per_second", it.toDevice());
              host.put("to_host_bytes_per_second", it.toHost());
              it.bothWays().ifPresent(rate -> host.put("both_ways_bytes_per_second", rate));
              host.put("update_seconds_per_weight", it.updateSeconds());
              host.put("disk_write_bytes_per_second", it.diskWrite());
              host.put("disk_read_bytes_per_second", it.diskRead());
            });
    return json;
  }

  private static MachineProfile profile(JsonFields fields) {
    JsonFields versions = fields.object("versions").orElseThrow(() -> lacks(fields, "versions"));
    Map<String, String> byName = new TreeMap<>();
    versions.names().forEach(name -> byName.put(name, versions.text(name).orElse("")));
    if (fields.texts("cards").stream().anyMatch(String::isBlank)) {
      throw fields.error("one of the cards has no name", AGAIN);
    }
    return new MachineProfile(
        date(fields),
        fields.texts("cards"),
        byName,
        between(fields, "seconds", SHORTEST, LONGEST),
        seconds(fields, "launch_seconds"),
        fields.objects("products").stream().map(MachineProfileFile::product).toList(),
        fields.objects("attention").stream().map(MachineProfileFile::attention).toList(),
        fields.objects("streams").stream().map(MachineProfileFile::stream).toList(),
        fields.objects("exchanges").stream().map(MachineProfileFile::exchange).toList(),
        host(fields));
  }

  private static ProductSample product(JsonFields it) {
    return new ProductSample(
        format(it),
        whole(it, "groups", 0),
        whole(it, "rows", 1),
        whole(it, "in", 1),
        whole(it, "out", 1),
        seconds(it, "forward_seconds"),
        seconds(it, "input_gradients_seconds"),
        seconds(it, "weight_gradients_seconds"));
  }

  private static NumberFormat format(JsonFields it) {
    String name = it.text("format").orElse("");
    return Arrays.stream(NumberFormat.values())
        .filter(format -> format.toString().equals(name))
        .findFirst()
        .orElseThrow(() -> it.error("format '" + name + "'", AGAIN));
  }

  private static AttentionSample attention(JsonFields it) {
    return new AttentionSample(
        whole(it, "heads", 1),
        whole(it, "length", 1),
        whole(it, "width", 1),
        whole(it, "value_width", 1),
        seconds(it, "forward_seconds"),
        seconds(it, "backward_seconds"));
  }

  private static StreamSample stream(JsonFields it) {
    return new StreamSample(
        it.text("name").orElseThrow(() -> lacks(it, "name")),
        between(it, "latency_seconds", 0, LONGEST),
        rate(it, "bytes_per_second"));
  }

  private static ExchangeSample exchange(JsonFields it) {
    return new ExchangeSample(
        it.text("name").orElseThrow(() -> lacks(it, "name")),
        it.text("transport").orElseThrow(() -> lacks(it, "transport")),
        whole(it, "ranks", 1),
        whole(it, "bytes", 1),
        seconds(it, "seconds"));
  }

  private static Optional<HostSample> host(JsonFields fields) {
    return fields
        .object("host")
        .map(
            it ->
                new HostSample(
                    rate(it, "to_device_bytes_per_second"),
                    rate(it, "to_host_bytes_per_second"),
                    it.isPresent("both_ways_bytes_per_second")
                        ? OptionalDouble.of(rate(it, "both_ways_bytes_per_second"))
                        : OptionalDouble.empty(),
                    between(it, "update_seconds_per_weight", 1e-15, 1),
                    rate(it, "disk_write_bytes_per_second"),
                    rate(it, "disk_read_bytes_per_second")));
  }

  /** Samples that are no full grid cannot be interpolated. */
  private static void requireGrids(JsonFields fields, MachineProfile profile) {
    for (NumberFormat format : NumberFormat.values()) {
      for (boolean grouped : new boolean[] {false, true}) {
        requireGrid(fields, "products", () -> profile.products(format, grouped));
      }
    }
    requireGrid(fields, "attention", () -> profile.attentionTable());
  }

  private static void requireGrid(JsonFields fields, String name, Runnable table) {
    try {
      table.run();
    } catch (IllegalArgumentException e) {
      throw fields.error("its '" + name + "' are no full grid: " + e.getMessage(), AGAIN);
    }
  }

  private static String date(JsonFields fields) {
    String date = fields.text("date").orElseThrow(() -> lacks(fields, "date"));
    try {
      Instant _ = Instant.parse(date);
      return date;
    } catch (DateTimeParseException _) {
      throw fields.error("date is '" + date + "', not like 2026-11-29T13:09:43Z", AGAIN);
    }
  }

  private static double seconds(JsonFields fields, String name) {
    return between(fields, name, SHORTEST, LONGEST);
  }

  private static double rate(JsonFields fields, String name) {
    return between(fields, name, SLOWEST, FASTEST);
  }

  private static double between(JsonFields fields, String name, double least, double most) {
    double value = fields.number(name);
    if (!(value >= least) || value > most) {
      throw fields.error(
          name + " is " + value + ", and a machine is measured at " + least + " to " + most, AGAIN);
    }
    return value;
  }

  private static int whole(JsonFields fields, String name, int least) {
    int value = fields.integer(name);
    if (value < least) {
      throw fields.error(name + " is " + value + ", which is below " + least, AGAIN);
    }
    return value;
  }

  private static DuokaException lacks(JsonFields fields, String name) {
    return fields.error("it has no '" + name + "'", AGAIN);
  }
}
