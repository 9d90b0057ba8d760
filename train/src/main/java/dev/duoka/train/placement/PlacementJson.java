package dev.duoka.train.placement;

import dev.duoka.formats.json.Json;
import dev.duoka.machine.topology.TopologyJson;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.mesh.Mesh.Axis;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A placement as the object {@code mesh} of {@code duoka config --json}. */
public final class PlacementJson {
  /** The machine that the seats' {@code index} is of, as {@code duoka topo --json} says it. */
  public static final String TOPOLOGY = "topology";

  private PlacementJson() {}

  /** Axes, ranks with their places, groups with their ways, and the explanation. */
  public static ObjectNode of(MeshPlacement placement) {
    Mesh mesh = placement.mesh();
    ObjectNode root = Json.object();
    root.put("ranks", mesh.size());
    ObjectNode axes = root.putObject("axes");
    for (Axis axis : Axis.values()) {
      axes.put(axis.name().toLowerCase(Locale.ROOT), mesh.size(axis));
    }
    axes.put("expert", mesh.expert());
    root.put("processes", placement.processes());
    root.put("order", placement.order().name().toLowerCase(Locale.ROOT));
    ArrayNode seats = root.putArray("seats");
    placement.seats().forEach(seat -> seat(seats.addObject(), seat, placement));
    ArrayNode groups = root.putArray("groups");
    placement.groups().forEach(group -> group(groups.addObject(), group));
    ArrayNode notices = root.putArray("notices");
    placement.notices().forEach(notices::add);
    ArrayNode explanation = root.putArray("explanation");
    Explanation.of(placement).forEach(explanation::add);
    placement.topology().ifPresent(it -> root.set(TOPOLOGY, TopologyJson.of(it)));
    return root;
  }

  private static void seat(ObjectNode node, Seat seat, MeshPlacement placement) {
    Mesh mesh = placement.mesh();
    node.put("rank", seat.rank());
    if (seat.gpu().isPresent()) {
      node.put("device", "cuda:" + seat.gpu().getAsInt());
    } else if (placement.order() == MeshPlacement.Order.CPU) {
      node.put("device", "cpu");
    } else {
      node.putNull("device");
    }
    seat.index().ifPresent(index -> node.put("index", index));
    node.put("card", seat.card().orElse(null));
    seat.uuid().ifPresent(uuid -> node.put("uuid", uuid));
    node.put("process", seat.process());
    node.put("node", seat.node());
    node.put("pipeline", mesh.coordinate(seat.rank(), Axis.PIPELINE));
    node.put("data", mesh.dataRank(seat.rank()));
    node.put("context", mesh.coordinate(seat.rank(), Axis.CONTEXT));
    node.put("tensor", mesh.coordinate(seat.rank(), Axis.TENSOR));
    node.put("expert", mesh.expertPart(seat.rank()));
  }

  private static void group(ObjectNode node, PlacedGroup group) {
    node.put("axis", group.exchange().axis());
    ArrayNode ranks = node.putArray("ranks");
    group.ranks().forEach(ranks::add);
    node.put("slowest_link", group.slowest().label());
    group
        .slowest()
        .rate()
        .ifPresentOrElse(
            rate -> {
              ObjectNode each = node.putObject("gb_per_s_each_way");
              each.put("low", rate.low());
              each.put("high", rate.high());
              each.put("assumed", rate.assumed());
            },
            () -> node.putNull("gb_per_s_each_way"));
  }
}
