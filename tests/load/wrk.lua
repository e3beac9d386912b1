-- Sends one kind of request, configured by the variables BENCH_*; prints the result as one line of JSON.
-- The token comes from the environment, so that no process list shows it.
local kind = os.getenv("BENCH_KIND")
local value = string.rep("c2VjcmV0", 16)  -- 96 bytes in base64
local headers = {
  ["Content-Type"] = "application/json",
  ["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN"),
}
-- Without a content type, like Go's client.
local kv_headers = { ["X-Vault-Token"] = os.getenv("BENCH_TOKEN") }

local ids = {}
for line in io.lines(os.getenv("BENCH_IDS")) do
  ids[#ids + 1] = line
end
math.randomseed(tonumber(os.getenv("BENCH_SEED")))

local function post(path, body)
  return wrk.format("POST", path, headers, body)
end

local function id()
  return ids[math.random(#ids)]
end

local function name()
  return '{"secret_id": "' .. id() .. '"}'
end

-- The seed differs from run to run, so each name is new.
local function kv_write()
  local path = string.format("/v1/secret/data/made-%d-%d", math.random(2^31), math.random(2^31))
  return wrk.format("POST", path, kv_headers, '{"data": {"value": "' .. value .. '"}}')
end

local function kv_read(path)
  return wrk.format("GET", "/v1/secret/data/" .. path, kv_headers)
end

local apis = {
  service = {
    healthz = function() return wrk.format("GET", "/healthz") end,
    whoami = function() return post("/vault/token/whoami", "") end,
    create = function() return post("/vault/secret/create/", '{"secret": "' .. value .. '"}') end,
    fetch = function() return post("/vault/secret/fetch", name()) end,
    kv_write = kv_write,
    kv_read = function() return kv_read("load/" .. math.random(#ids)) end,
    -- As the Swarm driver asks for it: see service/swarm_driver/driver.py.
    deliver = function()
      local number = math.random(#ids)
      return post("/vault/secret/deliver", string.format(
        '{"path": "load/%d", "version": 1, "service": {"id": "s7k2m9x4c1v8b3n6q5w0e2r4t", "name": "billing_api",'
          .. ' "labels": {}, "image": "billing:1.2"}, "task": {"id": "n2v8qjw0xk3m5r7t9y1b4c6d8",'
          .. ' "name": "billing_api.1.n2v8qjw0xk3m5r7t9y1b4c6d8"}, "node": {"id": "p0s9d8f7g6h5j4k3l2m1n0b9v"},'
          .. ' "docker_secret": "db-password.v1"}', number))
    end,
    batch = function()
      local names = {}
      for number = 1, 10 do names[number] = name() end
      return post("/vault/secret/fetch/batch", '{"secrets": [' .. table.concat(names, ", ") .. ']}')
    end,
  },
  openbao = {
    healthz = function() return wrk.format("GET", "/v1/sys/health") end,
    create = kv_write,
    kv_write = kv_write,
    fetch = function() return kv_read(id()) end,
    kv_read = function() return kv_read(id()) end,
  },
  yardstick = {
    healthz = function() return wrk.format("GET", "/healthz") end,
    create = function() return post("/create", '{"secret": "' .. value .. '"}') end,
    fetch = function() return post("/fetch", name()) end,
  },
}
local kinds = apis[os.getenv("BENCH_API")]
local turn = 0
kinds.mix = function()
  turn = 1 - turn
  return turn == 0 and kinds.create() or kinds.fetch()
end

request = kinds[kind]

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
