package io.feedline;

import io.feedline.v1.FeedlineServiceGrpc;
import io.feedline.v1.FeedlineServiceGrpc.FeedlineServiceBlockingStub;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A connection of one request or stream: HTTP/2 shares a connection's window among its streams, so
 * that one that stalls would stop its neighbours.
 */
final class Connection implements AutoCloseable {
  /** HTTP/2 window: bytes that may be under way while this side is busy. */
  private static final int WINDOW = 4 << 20;

  /** Largest message that is taken: the largest part that may be asked for, and its header. */
  private static final int MOST_MESSAGE_BYTES = 66 << 20;

  private static final int CONNECT_MILLIS = 10_000;
  private static final Pattern ADDRESS =
      Pattern.compile("unix:.+|(?:http://)?(?<host>[^/:]+|\\[[^/\\]]+\\]):(?<port>\\d{1,5})/?");

  private final ManagedChannel channel;

  /** Connects when it is first used. */
  Connection(String target) {
    ManagedChannelBuilder<?> builder =
        Grpc.newChannelBuilder(target, InsecureChannelCredentials.create())
            .disableRetry()
            .disableServiceConfigLookUp()
            .maxInboundMessageSize(MOST_MESSAGE_BYTES)
            .keepAliveTime(60, TimeUnit.SECONDS)
            .keepAliveTimeout(20, TimeUnit.SECONDS);
    if (target.startsWith("unix:")) {
      // Else it is the path in percents, which servers take for no authority.
      builder.overrideAuthority("localhost");
    }
    // Another transport on the class path may come first; it has its own window.
    if (builder instanceof NettyChannelBuilder netty) {
      netty
          .flowControlWindow(WINDOW)
          .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS);
    }
    channel = builder.build();
  }

  /** What grpc calls an address. */
  static String target(String address) {
    Matcher parts = ADDRESS.matcher(address);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "\"" + address + "\" is no address, expected HOST:PORT, http://HOST:PORT or unix:PATH");
    }
    return parts.group("host") == null
        ? address
        : "dns:///" + parts.group("host") + ":" + parts.group("port");
  }

  FeedlineServiceBlockingStub service() {
    return FeedlineServiceGrpc.newBlockingStub(channel);
  }

  /** Ends whatever is running on it. Closing again does nothing. */
  @Override
  public void close() {
    channel.shutdownNow();
  }
}
