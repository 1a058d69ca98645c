import {
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
  clone,
  create,
} from "@bufbuild/protobuf";

import { Connection } from "./connection.js";
import { Retry } from "./retry.js";
import { BatchStream } from "./stream.js";
import {
  type DeliverySchema,
  DescribeRequestSchema,
  type DescribeResponse,
  FeedlineService,
  ListDatasetsRequestSchema,
  type ListDatasetsResponse,
  ListSamplesRequestSchema,
  type ListSamplesResponse,
  type LoaderSpecSchema,
  type PlacementSchema,
  StreamRequestSchema,
} from "./v1.js";

/** How a client behaves. */
export interface ClientOptions {
  /** Its name in the server's log. Default: empty, its address. */
  name?: string;
  /** The training job, for the server to report two streams of one rank. Default: none. */
  job?: string;
  /** How long failures of the transport are retried, in milliseconds, from the last arrival on. Default 60,000; 0: never. */
  retryForMs?: number;
}

/** One request to say it all. Plain objects will do: what is left out has the default of the contract. */
export interface Loader {
  /** What is in a batch. */
  spec: MessageInitShape<typeof LoaderSpecSchema>;
  /** Which rows of it. Default: all. */
  placement?: MessageInitShape<typeof PlacementSchema>;
  /** In what form, from which cursor on and how many. Default: FP32, NCHW, from the start, without end. */
  delivery?: MessageInitShape<typeof DeliverySchema>;
}

/** A client of one server. Holds no connection: every request and every stream has its own. */
export class Client {
  readonly #address: string;
  readonly #options: Required<ClientOptions>;

  /**
   * @param address - `HOST:PORT` or `unix:PATH`. Whether anybody is there shows with the first request.
   * @throws TypeError if it is neither.
   */
  constructor(address: string, options: ClientOptions = {}) {
    if (!ADDRESS.test(address)) {
      throw new TypeError(`${JSON.stringify(address)} is no address, expected HOST:PORT or unix:PATH`);
    }
    this.#address = address;
    this.#options = { name: "", job: "", retryForMs: 60_000, ...options };
  }

  /**
   * What datasets there are.
   *
   * @throws FeedlineError, or what `signal` was aborted with. So do the other methods.
   */
  listDatasets(signal?: AbortSignal): Promise<ListDatasetsResponse> {
    const request = create(ListDatasetsRequestSchema, { contractRevision: CONTRACT_REVISION });
    return this.#unary(FeedlineService.method.listDatasets, request, signal);
  }

  /** A page of the samples of a split: leads from a sample index back to a file. */
  listSamples(
    page: MessageInitShape<typeof ListSamplesRequestSchema>,
    signal?: AbortSignal,
  ): Promise<ListSamplesResponse> {
    const request = clone(ListSamplesRequestSchema, create(ListSamplesRequestSchema, page));
    request.contractRevision = CONTRACT_REVISION;
    return this.#unary(FeedlineService.method.listSamples, request, signal);
  }

  /** What `loader` would give: tensors, steps per epoch, classes, what is left to do with UINT8. Checks all of it. */
  describe(loader: Loader, signal?: AbortSignal): Promise<DescribeResponse> {
    const { spec, placement = {}, delivery = {} } = loader;
    const request = create(DescribeRequestSchema, { contractRevision: CONTRACT_REVISION, spec, placement, delivery });
    return this.#unary(FeedlineService.method.describe, request, signal);
  }

  /**
   * Batches of `loader`, from `delivery.start` on. Describes it first, so that what can't succeed fails here; from then on the
   * stream insists on the dataset and spec that were described.
   *
   * @param signal - Aborting it ends the stream with its reason.
   */
  async stream(loader: Loader, signal?: AbortSignal): Promise<BatchStream> {
    const { spec, placement = {}, delivery = {} } = loader;
    const { name, job, retryForMs } = this.#options;
    const description = await this.describe(loader, signal);
    const client = { name, job };
    const request = { contractRevision: CONTRACT_REVISION, spec, placement, delivery, client };
    const own = clone(StreamRequestSchema, create(StreamRequestSchema, request));
    return new BatchStream(own, description, { address: this.#address, retryForMs, signal });
  }

  async #unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
    signal = new AbortController().signal,
  ): Promise<MessageShape<O>> {
    const retry = new Retry(this.#address, this.#options.retryForMs);
    for (;;) {
      try {
        using connection = await Connection.open(this.#address, signal);
        return await connection.unary(method, request);
      } catch (error) {
        await retry.pause(error, signal);
      }
    }
  }
}

/** Revision of the contract that the messages were generated from. */
const CONTRACT_REVISION = 1;
const ADDRESS = /^(unix:.+|(\[[^\]]+\]|[^:/\s]+):\d{1,5})$/;
