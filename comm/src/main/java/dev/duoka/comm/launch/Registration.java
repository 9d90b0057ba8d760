package dev.duoka.comm.launch;

import dev.duoka.comm.tcp.Peer;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;

/**
 * What a process says of itself when it comes.
 *
 * @param terms what it is of
 * @param process its number
 * @param processes how many it believes there are
 * @param ranks the ranks that it holds
 * @param host its machine's name
 * @param pid its number there
 * @param port where it takes connections
 */
record Registration(
    Terms terms, int process, int processes, RankRange ranks, String host, long pid, int port) {
  void write(DataOutputStream out) throws IOException {
    terms.write(out);
    out.writeInt(process);
    out.writeInt(processes);
    out.writeInt(ranks.first());
    out.writeInt(ranks.count());
    out.writeInt(ranks.world());
    out.writeUTF(host);
    out.writeLong(pid);
    out.writeInt(port);
  }

  static Registration read(DataInputStream in) throws IOException {
    return new Registration(
        Terms.read(in),
        in.readInt(),
        in.readInt(),
        new RankRange(in.readInt(), in.readInt(), in.readInt()),
        in.readUTF(),
        in.readLong(),
        in.readInt());
  }

  /**
   * As the others see it.
   *
   * @param from the host that it called from
   */
  Peer peer(String from) {
    return new Peer(
        process,
        ranks.first(),
        ranks.count(),
        host,
        pid,
        InetSocketAddress.createUnresolved(from, port));
  }

  /** For example {@code process 1 (pid 4711 on node7)}. */
  @Override
  public String toString() {
    return "process " + process + " (pid " + pid + " on " + host + ")";
  }
}
