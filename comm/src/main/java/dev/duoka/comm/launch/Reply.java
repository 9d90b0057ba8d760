package dev.duoka.comm.launch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.tcp.Membership;
import dev.duoka.comm.tcp.Peer;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/** What process 0 answers to a process that has come. */
sealed interface Reply {
  /**
   * All processes of the run.
   *
   * @param word what process 0 tells the others
   */
  record Table(List<Peer> peers, String token, String word) implements Reply {
    Membership of(int process) {
      return new Membership(peers, process, token, word);
    }
  }

  /** The run cannot begin. */
  record Refusal(ErrorCode code, String problem, String remedy) implements Reply {
    DuokaException exception() {
      return new DuokaException(code, problem, remedy);
    }
  }

  /** Writes it. */
  default void write(DataOutputStream out) throws IOException {
    switch (this) {
      case Table table -> {
        out.writeInt(table.peers().size());
        out.writeUTF(table.token());
        out.writeUTF(table.word());
        for (Peer peer : table.peers()) {
          out.writeInt(peer.firstRank());
          out.writeInt(peer.ranks());
          out.writeUTF(peer.host());
          out.writeLong(peer.pid());
          out.writeUTF(peer.address().getHostString());
          out.writeInt(peer.address().getPort());
        }
      }
      case Refusal refusal -> {
        out.writeInt(-1 - refusal.code().ordinal());
        out.writeUTF(refusal.problem());
        out.writeUTF(refusal.remedy());
      }
    }
    out.flush();
  }

  /** Reads it. */
  static Reply read(DataInputStream in) throws IOException {
    int size = in.readInt();
    if (size < 0) {
      return new Refusal(ErrorCode.values()[-1 - size], in.readUTF(), in.readUTF());
    }
    String token = in.readUTF();
    String word = in.readUTF();
    List<Peer> peers = new ArrayList<>();
    for (int process = 0; process < size; process++) {
      peers.add(
          new Peer(
              process,
              in.readInt(),
              in.readInt(),
              in.readUTF(),
              in.readLong(),
              InetSocketAddress.createUnresolved(in.readUTF(), in.readInt())));
    }
    return new Table(peers, token, word);
  }
}
