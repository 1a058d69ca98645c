#include "feedline/client.hpp"

#include <feedline/v1/service.grpc.pb.h>

#include <memory>
#include <thread>
#include <utility>

#include "connection.hpp"
#include "state.hpp"

namespace feedline {

using Stub = v1::FeedlineService::Stub;

Client::Client(std::string address, Options options)
    : address_(std::move(address)), target_(target_of(address_)), options_(std::move(options)) {}

template <class Response, class Request, class Call>
Response Client::retried(Request request, Call call) const {
    request.set_contract_revision(contract_revision);
    Retry retry(options_.retry_for);
    for (;;) {
        Response response;
        grpc::ClientContext context;
        Stub stub(connect(target_));
        const grpc::Status status = (stub.*call)(&context, request, &response);
        if (status.ok()) return response;
        std::this_thread::sleep_for(pause_or_throw(address_, retry, Failure(status, context)));
    }
}

v1::ListDatasetsResponse Client::list_datasets() const {
    return retried<v1::ListDatasetsResponse>(v1::ListDatasetsRequest(), &Stub::ListDatasets);
}

v1::ListSamplesResponse Client::list_samples(v1::ListSamplesRequest request) const {
    return retried<v1::ListSamplesResponse>(std::move(request), &Stub::ListSamples);
}

v1::DescribeResponse Client::describe(const Loader& loader) const {
    v1::DescribeRequest request;
    *request.mutable_spec() = loader.spec;
    *request.mutable_placement() = loader.placement;
    *request.mutable_delivery() = loader.delivery;
    return retried<v1::DescribeResponse>(std::move(request), &Stub::Describe);
}

BatchStream Client::stream(Loader loader) const {
    v1::StreamRequest request;
    request.set_contract_revision(contract_revision);
    request.mutable_client()->set_name(options_.name);
    request.mutable_client()->set_job(options_.job);
    auto description = describe(loader);
    *request.mutable_spec() = std::move(loader.spec);
    *request.mutable_placement() = std::move(loader.placement);
    *request.mutable_delivery() = std::move(loader.delivery);
    return BatchStream(std::make_unique<BatchStream::State>(Server{address_, target_, options_.retry_for},
                                                            std::move(request), std::move(description)));
}

}  // namespace feedline
