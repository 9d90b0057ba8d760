package dev.duoka.machine.probe;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The file of a capture that says what software lay on the disk; no command prints that. */
final class SoftwareFile {
  static final String NAME = "software.json";

  private SoftwareFile() {}

  static String write(SnapshotDraft facts) {
    ObjectNode root = Json.object();
    ArrayNode torches = root.putArray("torches");
    for (Software.Torch torch : facts.torches) {
      ObjectNode node = torches.addObject();
      node.put("place", torch.place());
      node.put("installer", torch.installer());
      node.put("version", torch.version());
      torch.cuda().optional().ifPresent(value -> node.put("cuda", value));
      torch.architectures().optional().ifPresent(value -> node.put("architectures", value));
    }
    ArrayNode libraries = root.putArray("libraries");
    for (Software.Library library : facts.libraries) {
      ObjectNode node = libraries.addObject();
      node.put("name", library.name());
      node.put("path", library.path());
      node.put("owner", library.owner());
      library.version().optional().ifPresent(value -> node.put("version", value));
    }
    ArrayNode packages = root.putArray("packages");
    for (Software.PythonPackage known : facts.packages) {
      ObjectNode node = packages.addObject();
      node.put("name", known.name());
      node.put("version", known.version());
      node.put("installer", known.installer());
      node.put("place", known.place());
    }
    if (!facts.toolkit.isEmpty()) {
      root.put("toolkit", facts.toolkit);
    }
    return Json.pretty(root);
  }

  static void read(Path file, SnapshotDraft facts) {
    JsonFields root =
        JsonFields.of(Json.parse(file, ErrorCode.FORMAT), file.toString(), ErrorCode.FORMAT);
    for (JsonFields torch : root.objects("torches")) {
      facts.torches.add(
          new Software.Torch(
              text(torch, "place"),
              text(torch, "installer"),
              text(torch, "version"),
              reading(torch.text("cuda")),
              reading(torch.text("architectures"))));
    }
    for (JsonFields library : root.objects("libraries")) {
      facts.libraries.add(
          new Software.Library(
              text(library, "name"),
              text(library, "path"),
              text(library, "owner"),
              reading(library.text("version"))));
    }
    for (JsonFields known : root.objects("packages")) {
      facts.packages.add(
          new Software.PythonPackage(
              text(known, "name"),
              text(known, "version"),
              text(known, "installer"),
              text(known, "place")));
    }
    root.text("toolkit").ifPresent(version -> facts.toolkit = version);
    facts.packagesListed = true;
    facts.librariesListed = true;
  }

  private static String text(JsonFields fields, String name) {
    return fields.text(name).orElse("unknown");
  }

  private static Reading<String> reading(Optional<String> text) {
    return Reading.of(text, "not in the capture");
  }
}
